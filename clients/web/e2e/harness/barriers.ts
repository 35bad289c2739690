import { readFileSync } from 'node:fs';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { AXE } from './places.ts';

/** WCAG 2.2 AA, and all that it stands on. */
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const axe = readFileSync(AXE, 'utf8');

/**
 * What axe finds on a page that keeps somebody out, each with where. Its source is evaluated, not loaded: the page's
 * content security policy lets no other script in.
 */
export async function barriersOn(page: Page): Promise<string[]> {
  const isHere = await page.evaluate(() => 'axe' in globalThis);
  if (!isHere) await page.evaluate(axe);
  const options: RunOptions = { runOnly: RULES, resultTypes: ['violations'] };
  const { violations } = await page.evaluate((how) => {
    const { axe: loaded } = globalThis as unknown as {
      axe: { run(what: Document, how: unknown): Promise<AxeResults> };
    };
    return loaded.run(document, how);
  }, options);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`),
  );
}
