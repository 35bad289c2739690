import { useEffect, useRef, useState } from 'preact/hooks';
import { IconButton } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';
import './menu.css';

/** The height of an item, and of what is around them all. */
const ITEM_PX = 44;
const ROOM_PX = 12;

export interface MenuItem {
  readonly icon: IconName;
  readonly label: string;
  readonly onChoose: () => void;
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly tabIndex?: number;
}

/** A button with a menu under it: arrows move, Home and End jump, Escape and Tab close. */
export function Menu({ label, items, tabIndex }: MenuProps) {
  const [open, setOpen] = useState<'no' | 'below' | 'above'>('no');
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (open === 'no') return;
    const outside = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setOpen('no');
    };
    document.addEventListener('pointerdown', outside);
    move(place.current, 0);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const close = () => {
    setOpen('no');
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (open === 'no') return;
    event.stopPropagation();
    if (event.key === 'Tab') setOpen('no');
    const step = { ArrowDown: 1, ArrowUp: -1, Home: 0, End: items.length - 1 }[event.key];
    if (step === undefined && event.key !== 'Escape') return;
    event.preventDefault();
    if (step === undefined) close();
    else if (event.key === 'Home' || event.key === 'End') move(place.current, step);
    else move(place.current, focusedItem(place.current) + step);
  };

  if (items.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys of the button and the items in it.
    <div class="menu" ref={place} onKeyDown={onKeyDown}>
      <IconButton
        icon="more"
        label={label}
        opens="menu"
        expanded={open !== 'no'}
        buttonRef={button}
        {...(tabIndex === undefined ? {} : { tabIndex })}
        onPress={(event) => {
          event.preventDefault();
          event.stopPropagation();
          setOpen(open === 'no' ? sideOf(place.current, items.length) : 'no');
        }}
      />
      {open !== 'no' ? (
        <div class={`menu__items menu__items--${open}`} role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class="menu__item"
              onClick={(event) => {
                event.stopPropagation();
                close();
                item.onChoose();
              }}
            >
              <Icon name={item.icon} small />
              {item.label}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}

/** Above the button when there is no room below it in what scrolls. */
function sideOf(place: HTMLElement | null, items: number): 'below' | 'above' {
  const box = place?.closest('.log, .inbox__scroll')?.getBoundingClientRect();
  const button = place?.getBoundingClientRect();
  if (!box || !button) return 'below';
  const needed = items * ITEM_PX + ROOM_PX;
  return button.bottom + needed > box.bottom && button.top - needed > box.top ? 'above' : 'below';
}

function menuItems(place: HTMLElement | null): HTMLElement[] {
  return [...(place?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
}

function focusedItem(place: HTMLElement | null): number {
  return menuItems(place).indexOf(document.activeElement as HTMLElement);
}

/** Focuses the item of that number, going round at either end. */
function move(place: HTMLElement | null, to: number): void {
  const all = menuItems(place);
  all[(to + all.length) % all.length]?.focus();
}
