import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { text } from '../texts/text.ts';
import { Button, IconButton } from './button.tsx';
import './dialog.css';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** A panel at the side of a wide window, the whole of a narrow one. */
  readonly side?: boolean;
}

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape, and gives the focus back. */
export function Dialog({ title, onClose, children, side = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const from = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    return () => {
      shown?.close();
      if (from instanceof HTMLElement && from.isConnected) from.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog${side ? ' dialog--side' : ''}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div class="dialog__sheet">
        <header class="dialog__header">
          <h2 id={titleId} class="dialog__title">
            {title}
          </h2>
          <IconButton icon="close" label={text('app-close')} onPress={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

interface QuestionProps {
  readonly title: string;
  readonly help: string;
  readonly warning?: string | null;
  readonly submit: string;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
}

/** Asks before something that cannot be undone. */
export function Question({ title, help, warning, submit, onSubmit, onClose }: QuestionProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{help}</p>
      {warning ? <p class="dialog__warning">{warning}</p> : null}
      <div class="dialog__actions">
        <Button onPress={onClose}>{text('app-cancel')}</Button>
        <Button kind="danger" onPress={onSubmit}>
          {submit}
        </Button>
      </div>
    </Dialog>
  );
}
