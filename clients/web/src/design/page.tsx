import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { go, type Place } from '../router.ts';
import { text } from '../texts/text.ts';
import { IconButton } from './button.tsx';
import './page.css';

interface PageHeadProps {
  readonly title: ComponentChildren;
  /** The inbox stands beside the page where there is room; the way to anywhere else is always shown. */
  readonly back?: Place;
}

/** A page of its own beside the inbox. Its heading has the focus when one comes, so that it is what is read aloud. */
export function PageHead({ title, back = { kind: 'inbox' } }: PageHeadProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <header class="page__head">
      <span class={`page__back${back.kind === 'inbox' ? ' page__back--inbox' : ''}`}>
        <IconButton icon="back" label={text('app-back')} onPress={() => go(back)} />
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
    </header>
  );
}
