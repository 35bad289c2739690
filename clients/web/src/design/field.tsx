import type { ComponentChildren, Ref } from 'preact';
import { useId } from 'preact/hooks';
import './field.css';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'password';
  readonly help?: string;
  /** What is wrong with it; read aloud with the field. */
  readonly fault?: string | null;
  readonly autoComplete?: string;
  readonly autoCapitalize?: 'none' | 'sentences' | 'characters';
  readonly spellcheck?: boolean;
  readonly maxLength?: number;
  readonly inputRef?: Ref<HTMLInputElement>;
  /** Stands at the end of the field, such as a button. */
  readonly beside?: ComponentChildren;
}

export function Field(props: FieldProps) {
  const { label, value, onInput, type = 'text', help, fault, inputRef, beside } = props;
  const id = useId();
  const described = [help ? `${id}-help` : '', fault ? `${id}-fault` : ''].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label class="field__label" for={id}>
        {label}
      </label>
      <div class="field__box">
        <input
          id={id}
          ref={inputRef ?? null}
          class="field__input"
          // The two have the same attributes; the types of the element are stricter than what it is used for.
          type={type as 'text'}
          value={value}
          autoComplete={props.autoComplete}
          autoCapitalize={props.autoCapitalize}
          spellcheck={props.spellcheck}
          maxLength={props.maxLength}
          aria-invalid={fault ? true : undefined}
          aria-describedby={described || undefined}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        {beside}
      </div>
      {help ? (
        <p class="field__help" id={`${id}-help`}>
          {help}
        </p>
      ) : null}
      {fault ? (
        <p class="field__fault" id={`${id}-fault`}>
          {fault}
        </p>
      ) : null}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly help?: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
  /** A radio button of this name, rather than a check box. */
  readonly oneOf?: string;
}

export function Choice({ label, help, checked, disabled = false, onChange, oneOf }: ChoiceProps) {
  const id = useId();
  return (
    <div class="choice">
      <input
        id={id}
        class="choice__input"
        type={oneOf ? 'radio' : 'checkbox'}
        name={oneOf}
        checked={checked}
        disabled={disabled}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label class="choice__label" for={id}>
        {label}
      </label>
      {help ? (
        <p class="choice__help" id={`${id}-help`}>
          {help}
        </p>
      ) : null}
    </div>
  );
}
