import { useState } from 'preact/hooks';
import { IconButton } from '../design/button.tsx';
import { Field } from '../design/field.tsx';
import { text } from '../texts/text.ts';

interface PasswordProps {
  readonly label: string;
  readonly help?: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly autoComplete: 'current-password' | 'new-password';
}

/** Can be shown: whoever sees what they type needs fewer tries. Pasting and password managers are welcome. */
export function Password({ label, help, value, onInput, autoComplete }: PasswordProps) {
  const [isShown, setShown] = useState(false);
  return (
    <Field
      label={label}
      {...(help === undefined ? {} : { help })}
      type={isShown ? 'text' : 'password'}
      value={value}
      onInput={onInput}
      autoComplete={autoComplete}
      autoCapitalize="none"
      spellcheck={false}
      beside={
        <IconButton
          icon="eye"
          pressed={isShown}
          label={text(isShown ? 'login-hide-password' : 'login-show-password')}
          onPress={() => setShown(!isShown)}
        />
      }
    />
  );
}
