/** Our own drawings, on a field of 24, in strokes of one width. */
const DRAWINGS = {
  add: 'M12 5v14M5 12h14',
  back: 'M19 12H5m6-6-6 6 6 6',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5a2 2 0 0 0 4 0',
  'bell-off': 'M6 16V11c0-1 .2-2 .7-2.8M9.5 5.5A6 6 0 0 1 18 11v2.5M16.5 18h-12L6 16M10 20.5a2 2 0 0 0 4 0M4 4l16 16',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  checks: 'm2.5 12.5 4.5 4.5 8-9M12.5 16.5l.5.5 8.5-9.5',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2',
  close: 'm6 6 12 12M18 6 6 18',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  down: 'M12 5v14m-6-6 6 6 6-6',
  edit: 'm4.5 19.5 1-4L16 5l3 3L8.5 18.5zM13.5 7.5l3 3',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z',
  group:
    'M9 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2.5 19.5c0-3.5 2.5-5.5 6.5-5.5s6.5 2 6.5 5.5M16 5a3.3 3.3 0 0 1 0 6.3M18 14.5c2.2.7 3.5 2.4 3.5 5',
  leave: 'M10 4H5v16h5M15 8l4 4-4 4M19 12H9.5',
  mark: 'M6.5 3.5h11v17L12 16l-5.5 4.5z',
  more: 'M12 5.5h.01M12 12h.01M12 18.5h.01',
  recall: 'M5 5v5h5M5.5 10a7.5 7.5 0 1 1-.8 5',
  reply: 'M10 6 4 12l6 6M4.5 12H14a6 6 0 0 1 6 6v1',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20.5 20.5',
  send: 'M4 4.5 20.5 12 4 19.5 6.5 12zM6.5 12H13',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM9 14.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z',
  warning: 'M12 4 2.8 20h18.4zM12 10v4.5M12 17.3h.01',
} as const;

export type IconName = keyof typeof DRAWINGS;

const POINTING: ReadonlySet<IconName> = new Set(['back', 'leave', 'recall', 'reply', 'send']);

/** Always beside a name for it, so never read aloud itself. */
export function Icon({ name, small = false }: { readonly name: IconName; readonly small?: boolean }) {
  const turned = POINTING.has(name) ? ' icon--pointing' : '';
  return (
    <svg class={`icon${small ? ' icon--small' : ''}${turned}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={DRAWINGS[name]} />
    </svg>
  );
}
