import type { Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { IconButton } from '../design/button.tsx';
import { Icon } from '../design/icon.tsx';
import { text } from '../texts/text.ts';

export function Search({ search }: { readonly search: Signal<string> }) {
  const input = useRef<HTMLInputElement>(null);
  const clear = () => {
    search.value = '';
    input.current?.focus();
  };
  return (
    <search class="search">
      <Icon name="search" small />
      <input
        ref={input}
        class="search__input"
        type="text"
        enterkeyhint="search"
        aria-label={text('inbox-search')}
        placeholder={text('inbox-search')}
        value={search.value}
        onInput={(event) => {
          search.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && search.value !== '') clear();
        }}
      />
      {search.value === '' ? null : <IconButton icon="close" label={text('inbox-search-clear')} onPress={clear} />}
    </search>
  );
}
