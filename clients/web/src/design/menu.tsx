import { useEffect, useRef, useState } from 'preact/hooks';
import { IconButton } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';
import './menu.css';

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
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', outside);
    move(place.current, 0);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open) return;
    event.stopPropagation();
    if (event.key === 'Tab') setOpen(false);
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
        expanded={open}
        buttonRef={button}
        {...(tabIndex === undefined ? {} : { tabIndex })}
        onPress={(event) => {
          event.preventDefault();
          event.stopPropagation();
          setOpen(!open);
        }}
      />
      {open ? (
        <div class="menu__items" role="menu" aria-label={label}>
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
