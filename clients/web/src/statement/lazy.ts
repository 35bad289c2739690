import { lazy } from '../lazy.ts';
import { alsoSpeak } from '../texts/text.ts';

/** With its texts, which nothing else needs. */
export const Statement = lazy(async () => {
  const [module] = await Promise.all([import('./statement.tsx'), alsoSpeak('statement')]);
  return module.Statement;
});
