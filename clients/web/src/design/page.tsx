import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { go } from '../router.ts';
import { text } from '../texts/text.ts';
import { IconButton } from './button.tsx';
import './page.css';

/** A page of its own beside the inbox. Its heading has the focus when one comes, so that it is what is read aloud. */
export function PageHead({ title }: { readonly title: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <header class="page__head">
      <span class="page__back">
        <IconButton icon="back" label={text('app-back')} onPress={() => go({ kind: 'inbox' })} />
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
    </header>
  );
}
