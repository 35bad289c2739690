import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';
import './notice.css';

/** What went wrong and what one can do; read aloud at once. */
export function Fault({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="notice notice--fault" role="alert">
      <Icon name="warning" small />
      <div>{children}</div>
    </div>
  );
}

export function Notice({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="notice" role="status">
      {children}
    </div>
  );
}

/** What a place says when there is nothing in it. */
export function Empty(props: {
  readonly title: string;
  readonly help?: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <svg class="empty__drawing" viewBox="0 0 96 72" aria-hidden="true">
        <path d="M22 12h38a8 8 0 0 1 8 8v16a8 8 0 0 1-8 8H36l-12 9v-9h-2a8 8 0 0 1-8-8V20a8 8 0 0 1 8-8z" />
        <path class="empty__warm" d="M75 28a8 8 0 0 1 7 8v14a8 8 0 0 1-7 8v8l-10-8H50a8 8 0 0 1-6-3" />
      </svg>
      <p class="empty__title">{props.title}</p>
      {props.help ? <p class="empty__help">{props.help}</p> : null}
      {props.children}
    </div>
  );
}
