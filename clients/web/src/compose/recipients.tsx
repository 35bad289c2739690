import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { announce } from '../design/announcer.tsx';
import { Avatar } from '../design/avatar.tsx';
import { IconButton } from '../design/button.tsx';
import { hasWords } from '../inbox/filter.ts';
import type { ProfileId, SpaceId } from '../sdk/protocol.ts';
import type { Store } from '../store/store.ts';
import { faultText } from '../texts/faults.ts';
import { text } from '../texts/text.ts';
import type { Choice } from './choice.ts';
import { choicesFor, objection } from './directory.ts';
import './recipients.css';

/** Asked for once the typing pauses. */
const SEARCH_PAUSE_MS = 200;

interface RecipientsProps {
  readonly store: Store;
  readonly space: SpaceId;
  readonly profile: ProfileId | null;
  readonly label: string;
  readonly chosen: readonly Choice[];
  readonly onChange: (chosen: readonly Choice[]) => void;
  /** What is typed and not chosen; whoever sends must see to it that it is not passed over. */
  readonly search: string;
  readonly onSearch: (search: string) => void;
  readonly fault?: string | null;
}

/** No suggestion: what is listed answers an earlier search than the one in the field. */
const NONE = -1;

/** The list of suggestions under the field; `at` is the one that Enter chooses. */
type Suggestions =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly choices: readonly Choice[]; readonly at: number };

/** A field in which one looks people and groups up and chooses several; the pattern is a combo box with a list. */
export function Recipients(props: RecipientsProps) {
  const { store, space, profile, label, chosen, onChange, search, onSearch, fault } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [suggestions, setSuggestions] = useState<Suggestions>({ kind: 'closed' });
  const [why, setWhy] = useState<string | null>(null);
  const isOpen = suggestions.kind === 'open';
  const current = isOpen ? suggestions.choices[suggestions.at] : undefined;
  const { look, drop: dropLookup } = useLookup(store, { space, profile }, chosen, setSuggestions, setWhy);
  const close = () => {
    dropLookup();
    setSuggestions({ kind: 'closed' });
  };

  useEffect(() => {
    document.getElementById(`${id}-at`)?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const choose = async (choice: Choice) => {
    onSearch('');
    close();
    input.current?.focus();
    try {
      const objected = await objection(store, { space, profile }, choice);
      setWhy(objected === null ? null : `${text('compose-not-allowed', { name: choice.label })}. ${objected}`);
      if (objected === null) onChange([...chosen.filter((other) => other.key !== choice.key), choice]);
      if (objected === null) announce(text('compose-chosen', { count: chosen.length + 1 }));
    } catch (error) {
      setWhy(faultText(error));
    }
  };
  const drop = (choice: Choice) => {
    onChange(chosen.filter((other) => other.key !== choice.key));
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = chosen.at(-1);
    if (event.key === 'Backspace' && search === '' && last) drop(last);
    if (event.key === 'ArrowDown' && !isOpen) return look(search, 0);
    // In this field it chooses; it never sends a letter whose recipients are not all chosen yet.
    if (event.key === 'Enter') event.preventDefault();
    if (!isOpen) return;
    const rows = suggestions.choices.length;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && rows > 0) {
      event.preventDefault();
      const from = suggestions.at === NONE && step < 0 ? 0 : suggestions.at;
      setSuggestions({ ...suggestions, at: (from + step + rows) % rows });
    }
    if (event.key === 'Enter' && current) void choose(current);
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };

  return (
    <div class="recipients">
      <label class="field__label" for={id}>
        {label}
      </label>
      <div class="recipients__box">
        {chosen.map((choice) => (
          <span class="recipients__chosen" key={choice.key}>
            {choice.label}
            <IconButton
              icon="close"
              label={text('compose-remove', { name: choice.label })}
              onPress={() => drop(choice)}
            />
          </span>
        ))}
        <input
          id={id}
          ref={input}
          class="recipients__input"
          type="text"
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-activedescendant={current ? `${id}-at` : undefined}
          aria-describedby={`${id}-help`}
          aria-invalid={fault || why ? true : undefined}
          autoComplete="off"
          placeholder={chosen.length === 0 ? text('compose-to-help') : undefined}
          value={search}
          onInput={(event) => {
            onSearch(event.currentTarget.value);
            // Whoever types on and presses Enter means what they typed, not what was first in the list before.
            if (isOpen) setSuggestions(narrowed(suggestions.choices, event.currentTarget.value));
            look(event.currentTarget.value, SEARCH_PAUSE_MS);
          }}
          onFocus={() => {
            if (chosen.length === 0 || search !== '') look(search, 0);
          }}
          onBlur={close}
          onKeyDown={onKeyDown}
        />
      </div>
      {/* Above the list, which would cover it. */}
      {why || fault ? (
        <p class="field__fault" role="alert">
          {why ?? fault}
        </p>
      ) : null}
      <div class="recipients__place">
        <div
          class="recipients__list"
          id={`${id}-list`}
          role="listbox"
          aria-label={text('compose-suggestions')}
          hidden={!isOpen}
        >
          {isOpen
            ? suggestions.choices.map((choice, place) => (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus, and its keys choose.
                <div
                  key={choice.key}
                  id={place === suggestions.at ? `${id}-at` : undefined}
                  class="recipients__choice"
                  role="option"
                  tabIndex={-1}
                  aria-selected={place === suggestions.at}
                  // The field keeps the focus, and its list open.
                  onPointerDown={(event) => event.preventDefault()}
                  onClick={() => void choose(choice)}
                >
                  <Avatar id={choice.key} name={choice.label} group={choice.isGroup} />
                  <span>
                    <span class="recipients__name">{choice.label}</span>
                    <span class="recipients__beside">{choice.beside}</span>
                  </span>
                </div>
              ))
            : null}
        </div>
      </div>
      <p class="recipients__help" id={`${id}-help`} role="status">
        {isOpen && suggestions.choices.length === 0 ? text('compose-none', { search }) : null}
        {store.connection.value.kind === 'live' ? null : text('compose-offline')}
      </p>
    </div>
  );
}

/** Of what is suggested, what fits what is typed now, until its answer comes: nobody else gets under the finger. */
function narrowed(choices: readonly Choice[], search: string): Suggestions {
  const fitting = choices.filter(({ label, beside }) => hasWords(`${label} ${beside}`, search));
  return fitting.length > 0 ? { kind: 'open', choices: fitting, at: NONE } : { kind: 'closed' };
}

/** Looks up what was typed, and drops an answer that another question has overtaken. */
function useLookup(
  store: Store,
  asker: { readonly space: SpaceId; readonly profile: ProfileId | null },
  chosen: readonly Choice[],
  setSuggestions: (suggestions: Suggestions) => void,
  setWhy: (why: string | null) => void,
): { readonly look: (search: string, pauseMs: number) => void; readonly drop: () => void } {
  const question = useRef(0);
  const drop = () => {
    question.current += 1;
  };
  useEffect(() => drop, []);
  const look = (search: string, pauseMs: number) => {
    question.current += 1;
    const asked = question.current;
    setTimeout(async () => {
      if (asked !== question.current) return;
      try {
        const choices = await choicesFor(store, asker, search.trim());
        if (asked !== question.current) return;
        setWhy(null);
        const keys = new Set(chosen.map((choice) => choice.key));
        setSuggestions({ kind: 'open', choices: choices.filter((choice) => !keys.has(choice.key)), at: 0 });
      } catch (error) {
        if (asked === question.current) setWhy(faultText(error));
      }
    }, pauseMs);
  };
  return { look, drop };
}
