import type { CDPSession, Page } from 'playwright-core';

/**
 * The work of a page's main thread, in its own CPU time: on a machine that is busy with other things, how long something
 * took says little, and how much was done for it says the same every time.
 */
export class MainThread {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async of(page: Page): Promise<MainThread> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    return new MainThread(session);
  }

  /** How many milliseconds of work something causes. */
  async workOf(doing: () => Promise<void>): Promise<number> {
    const before = await this.#worked();
    await doing();
    return (await this.#worked()) - before;
  }

  async #worked(): Promise<number> {
    const { metrics } = await this.#session.send('Performance.getMetrics');
    const worked = metrics.find(({ name }) => name === 'TaskDuration');
    if (!worked) throw new Error('the browser does not tell how long its tasks take');
    return worked.value * 1000;
  }
}

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** CPU time of the thread, in microseconds. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The most CPU time, in milliseconds, that a page's main thread needs without a pause while something is done. */
export async function heaviestTask(page: Page, doing: () => Promise<void>): Promise<number> {
  const browser = page.context().browser();
  if (!browser) throw new Error('a browser of its own cannot be traced');
  await browser.startTracing(page, { categories: ['toplevel'] });
  await doing();
  // What was done may have answered within its task, and a task is told when it is over.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const isName = (event: TraceEvent) => event.name === 'thread_name' && event.args.name === 'CrRendererMain';
  const mainThreads = new Set(traceEvents.filter(isName).map(thread));
  const tasks = traceEvents.filter((event) => event.tdur !== undefined && mainThreads.has(thread(event)));
  if (tasks.length === 0) throw new Error('the browser does not tell how much its tasks do');
  return Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('nothing was measured');
  return middle;
}

/** Nothing has changed for so long: all that was asked for has come and is drawn. */
const QUIET_MS = 150;
const SETTLED_WITHIN_MS = 60_000;

/**
 * Until nothing changes any more; with a subject, after its thread was opened. In one call, because each that the test
 * makes is work of the page's main thread too.
 */
export function settled(page: Page, opens: string | null = null): Promise<void> {
  return page.evaluate(
    ({ subject, quietMs, withinMs }) =>
      new Promise<void>((resolve, reject) => {
        let quiet = setTimeout(done, quietMs);
        const limit = setTimeout(() => {
          clearTimeout(quiet);
          reject(new Error(`the page does not come to rest (${subject ?? 'in the inbox'})`));
        }, withinMs);
        const changes = new MutationObserver(() => {
          clearTimeout(quiet);
          quiet = setTimeout(done, quietMs);
        });
        changes.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
        if (subject !== null) link(subject).click();

        function link(of: string): HTMLElement {
          const links = [...document.querySelectorAll<HTMLElement>('.entry__link')];
          const found = links.find(({ textContent }) => textContent?.includes(of));
          if (!found) throw new Error(`${of} is not in the inbox`);
          return found;
        }
        function done(): void {
          const isThere = subject === null || document.querySelector('.log .message') !== null;
          // Quiet because the answer has not come yet.
          if (!isThere) {
            quiet = setTimeout(done, quietMs);
            return;
          }
          changes.disconnect();
          clearTimeout(limit);
          resolve();
        }
      }),
    { subject: opens, quietMs: QUIET_MS, withinMs: SETTLED_WITHIN_MS },
  );
}

const PAGING_WITHIN_MS = 180_000;

/** Scrolls up, again and again, until the first message is there, and with it all after it. */
export function pageThroughHistory(page: Page, firstWords: string): Promise<void> {
  return page.evaluate(
    ({ words, withinMs }) =>
      new Promise<void>((resolve, reject) => {
        const endAt = performance.now() + withinMs;
        const up = () => {
          const log = document.querySelector('[role=log]');
          const first = log?.querySelector('.message__words')?.textContent;
          if (first === words) return resolve();
          if (performance.now() > endAt) return reject(new Error(`history does not end; at "${first}"`));
          if (log) log.scrollTop = 0;
          requestAnimationFrame(up);
        };
        up();
      }),
    { words: firstWords, withinMs: PAGING_WITHIN_MS },
  );
}

const FRAMES = 150;
const STEP_PX = 160;
/** So many messages at least must have come by, or it was no scrolling: some 60 frames' worth. */
const CAME_BY = 100;
/** If they have not come by after so many frames, the page does not let one scroll. */
const MOST_FRAMES = 3_000;

/**
 * Scrolls up from where one is, as a thumb does, frame by frame, and answers how long the longest took, in milliseconds.
 * Each call goes on where the last one stopped, so that it draws messages that were not drawn yet. Of a thread that stands
 * still it is what the machine takes for a frame by itself.
 */
export function longestFrame(page: Page, { isStill = false } = {}): Promise<number> {
  return page.evaluate(
    ({ frames, mostFrames, step, wanted }) =>
      new Promise<number>((resolve, reject) => {
        const log = document.querySelector('[role=log]');
        if (!log) return reject(new Error('no thread is open'));
        const seen = new Set<string | undefined>();
        let longest = 0;
        let drawn = 0;
        const began = log.scrollTop;
        let before: number | null = null;
        const next = (now: number) => {
          if (before !== null) longest = Math.max(longest, now - before);
          before = now;
          for (const { dataset } of log.querySelectorAll<HTMLElement>('.message')) seen.add(dataset.key);
          if (drawn >= frames && seen.size >= wanted) return resolve(longest);
          if (drawn >= mostFrames) {
            const way = `from ${began} to ${log.scrollTop} of ${log.scrollHeight} px`;
            return reject(new Error(`only ${seen.size} messages came by in ${drawn} frames, ${way}`));
          }
          drawn += 1;
          log.scrollTop -= step;
          requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
      }),
    { frames: FRAMES, mostFrames: MOST_FRAMES, step: isStill ? 0 : STEP_PX, wanted: isStill ? 0 : CAME_BY },
  );
}
