import { PageHead } from '../design/page.tsx';
import { session } from '../login/session.ts';
import { type Key, text } from '../texts/text.ts';
import './statement.css';

interface Chapter {
  readonly title: Key;
  readonly paragraphs: readonly Key[];
}

const CHAPTERS: readonly Chapter[] = [
  { title: 'statement-aim', paragraphs: ['statement-aim-standard'] },
  {
    title: 'statement-tested',
    paragraphs: [
      'statement-tested-axe',
      'statement-tested-keyboard',
      'statement-tested-zoom',
      'statement-tested-sight',
    ],
  },
  {
    title: 'statement-gaps',
    paragraphs: ['statement-gaps-people', 'statement-gaps-browsers', 'statement-gaps-messages'],
  },
  { title: 'statement-contact', paragraphs: ['statement-contact-school', 'statement-contact-authority'] },
];

/** The accessibility statement, which the law wants at this address: for everyone, logged in or not. */
export function Statement() {
  const isIn = session.value.kind === 'open';
  return (
    <article class="page statement">
      <PageHead title={text('statement-title')} back={{ kind: isIn ? 'settings' : 'login' }} />
      <p>{text('statement-intro')}</p>
      {CHAPTERS.map(({ title, paragraphs }) => (
        <section class="statement__chapter" key={title}>
          <h2>{text(title)}</h2>
          {paragraphs.map((paragraph) => (
            <p key={paragraph}>{text(paragraph)}</p>
          ))}
        </section>
      ))}
      <p class="statement__soft">{text('statement-whose')}</p>
      <p class="statement__soft">{text('settings-version', { version: import.meta.env.VITE_VERSION ?? '0.1' })}</p>
    </article>
  );
}
