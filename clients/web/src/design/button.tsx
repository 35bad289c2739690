import type { ComponentChildren, Ref } from 'preact';
import './button.css';
import { Icon, type IconName } from './icon.tsx';

type Press = (event: MouseEvent) => void;

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly kind?: 'main' | 'plain' | 'quiet' | 'danger';
  readonly icon?: IconName;
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  readonly busy?: boolean;
  readonly onPress?: Press;
  readonly buttonRef?: Ref<HTMLButtonElement>;
}

/** Busy is not disabled: it keeps the focus where it was, and only does nothing. */
export function Button(props: ButtonProps) {
  const { children, kind = 'plain', icon, type = 'button', disabled = false, busy = false, onPress, buttonRef } = props;
  return (
    <button
      ref={buttonRef ?? null}
      type={type}
      class={`button button--${kind}`}
      disabled={disabled}
      aria-busy={busy}
      aria-disabled={busy}
      onClick={(event) => (busy ? event.preventDefault() : onPress?.(event))}
    >
      {icon ? <Icon name={icon} small /> : null}
      {children}
    </button>
  );
}

interface IconButtonProps {
  readonly icon: IconName;
  /** What it does, read aloud and shown on pointing. */
  readonly label: string;
  readonly onPress?: Press;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly opens?: 'menu' | 'dialog';
  readonly type?: 'button' | 'submit';
  readonly main?: boolean;
  readonly disabled?: boolean;
  readonly tabIndex?: number;
  readonly buttonRef?: Ref<HTMLButtonElement>;
}

export function IconButton(props: IconButtonProps) {
  const { icon, label, onPress, pressed, expanded, opens, type = 'button', main = false, disabled = false } = props;
  return (
    <button
      ref={props.buttonRef ?? null}
      type={type}
      class={`icon-button${main ? ' icon-button--main' : ''}`}
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-haspopup={opens}
      disabled={disabled}
      tabIndex={props.tabIndex}
      onClick={onPress}
    >
      <Icon name={icon} />
    </button>
  );
}
