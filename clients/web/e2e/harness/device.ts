import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { LAUNCH } from './chromium.ts';
import type { Place, Role } from './school.ts';
import { storedIn } from './storage.ts';
import { type Language, type Text, textsIn } from './texts.ts';
import { PATIENCE_MS, until, untilEqual } from './until.ts';
import { type Allowed, Watch } from './watch.ts';

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** How long one looks for something that may be gone already. */
const GLANCE_MS = 300;

export interface DeviceOptions {
  readonly size?: { readonly width: number; readonly height: number };
  readonly theme?: 'light' | 'dark';
  /** As if it had been chosen here before; without it the page is in Danish, as it comes. */
  readonly language?: Language;
  readonly allow?: readonly Allowed[];
}

/** A browser with the page, and what a person does with it. */
export class Device {
  readonly text: Text;
  /** Where the browser keeps what is to outlive it; none for one that forgets all when it is closed. */
  readonly #folder: string | null;
  readonly #options: DeviceOptions;
  readonly #place: Place;
  #context: BrowserContext;
  #page: Page;
  #watch: Watch;

  private constructor(
    place: Place,
    options: DeviceOptions,
    folder: string | null,
    context: BrowserContext,
    page: Page,
  ) {
    this.#place = place;
    this.#options = options;
    this.#folder = folder;
    this.#context = context;
    this.#page = page;
    this.#watch = new Watch(context, place.url, options.allow ?? []);
    this.text = textsIn(options.language ?? 'da');
  }

  static async open(place: Place, browser: Browser, options: DeviceOptions): Promise<Device> {
    const context = await prepared(await browser.newContext(contextOptions(options)), options);
    const device = new Device(place, options, null, context, await context.newPage());
    await device.visit();
    return device;
  }

  /** A browser of its own with a folder, which can be closed and opened again. */
  static async openKept(place: Place, options: DeviceOptions): Promise<Device> {
    const folder = mkdtempSync(join(tmpdir(), 'samtale-browser-'));
    const context = await launchKept(folder, options);
    const device = new Device(place, options, folder, context, await firstPage(context));
    await device.visit();
    return device;
  }

  get page(): Page {
    return this.#page;
  }

  get context(): BrowserContext {
    return this.#context;
  }

  get watch(): Watch {
    return this.#watch;
  }

  get faults(): readonly string[] {
    return this.#watch.faults;
  }

  get isPhone(): boolean {
    return isPhone(this.#options);
  }

  async visit(path = '/'): Promise<void> {
    await this.page.goto(this.#place.url + path);
  }

  /** Closes the whole browser, as a phone does that needs room. */
  async shut(): Promise<void> {
    await this.#context.close();
  }

  /** Opens it again where it was kept; `isOffline` when there is no network yet. */
  async reopen({ isOffline = false } = {}): Promise<void> {
    if (this.#folder === null) throw new Error('only a browser that is kept can be opened again');
    this.#context = await launchKept(this.#folder, this.#options);
    await this.#context.setOffline(isOffline);
    this.#page = await firstPage(this.#context);
    this.#watch = new Watch(this.#context, this.#place.url, this.#options.allow ?? []);
    await this.visit();
  }

  async close(): Promise<void> {
    await this.#context.close();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  async goOffline(): Promise<void> {
    await this.#context.setOffline(true);
  }

  async goOnline(): Promise<void> {
    await this.#context.setOffline(false);
  }

  // What a person does.

  /** Presses "try now" for as long as it is offered. */
  async tryNow(): Promise<void> {
    await until('the connection to be back', async () => {
      if ((await this.page.locator('.line').count()) === 0) return true;
      // It may go in the same moment, since the page tries by itself too.
      await this.button('connection-try-now')
        .click({ timeout: GLANCE_MS })
        .catch(() => {});
      return false;
    });
  }

  logIn(role: Role, { isOwnDevice = false } = {}): Promise<void> {
    return this.enter(this.#place.login(role), { isOwnDevice });
  }

  async enter(
    { username, password }: { readonly username: string; readonly password: string },
    { isOwnDevice = false } = {},
  ): Promise<void> {
    const { page, text } = this;
    await page.getByLabel(text('login-username'), { exact: true }).fill(username);
    await page.getByLabel(text('login-password'), { exact: true }).fill(password);
    if (isOwnDevice) await page.getByRole('checkbox', { name: text('login-own-device') }).check();
    await this.button('login-submit').click();
    await this.isInside();
  }

  /** Until the inbox is there. */
  async isInside(): Promise<void> {
    await this.page.getByRole('heading', { name: this.text('inbox-title') }).waitFor();
  }

  async openThread(subject: string): Promise<void> {
    await this.entry(subject).getByRole('link').click();
    await this.composer.waitFor();
  }

  async toInbox(): Promise<void> {
    if (this.isPhone) await this.button('app-back').click();
    else await this.page.getByRole('link', { name: this.text('app-name'), exact: true }).click();
  }

  async openDetails(): Promise<Locator> {
    await this.button('thread-details').click();
    const details = this.page.getByRole('dialog', { name: this.text('thread-details') });
    await details.waitFor();
    return details;
  }

  async startThread({ to, subject, words }: { to: string; subject: string; words: string }): Promise<void> {
    const { page, text } = this;
    await page.getByRole('link', { name: text('inbox-new') }).click();
    await page.getByRole('combobox', { name: text('compose-to') }).fill(to);
    await this.recipient(to).click();
    await page.getByText(to).first().waitFor();
    await page.getByLabel(text('compose-subject'), { exact: true }).fill(subject);
    await page.getByLabel(text('compose-text'), { exact: true }).fill(words);
    await this.button('compose-submit').click();
    await page.getByRole('heading', { name: subject }).waitFor();
  }

  /** The suggestion of this person or group alone: a child's parents are suggested with their names beside. */
  recipient(name: string): Locator {
    return this.page.getByRole('option').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  async write(words: string): Promise<void> {
    await this.composer.fill(words);
  }

  async send(): Promise<void> {
    await this.button('thread-send').click();
  }

  /** Writes and sends, and sees it in the thread; whether it is stored is another matter. */
  async say(words: string): Promise<void> {
    await this.write(words);
    await this.send();
    await this.sees(words);
  }

  async logOut(): Promise<void> {
    const toSettings = this.page.getByRole('link', { name: this.text('settings-title') });
    // On a phone the settings lie over the way to them.
    if (new URL(this.page.url()).pathname !== '/settings') await toSettings.click();
    await this.button('settings-log-out').click();
    await this.page
      .getByRole('dialog')
      .getByRole('button', { name: this.text('settings-log-out') })
      .click();
    await this.page.getByText(this.text('login-logged-out')).waitFor();
  }

  // What there is to see.

  button(key: Parameters<Text>[0], filledIn?: Parameters<Text>[1]): Locator {
    return this.page.getByRole('button', { name: this.text(key, filledIn), exact: true });
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: this.text('thread-write') });
  }

  get log(): Locator {
    return this.page.getByRole('log');
  }

  entry(subject: string): Locator {
    return this.page.locator('.inbox__list .entry').filter({ hasText: subject });
  }

  /** The messages that are drawn, from top to bottom, those that are not sent yet included. */
  messages(): Promise<string[]> {
    return this.log.locator('.message__words').allTextContents();
  }

  async sees(words: string): Promise<void> {
    await this.log.getByText(words, { exact: true }).waitFor();
  }

  async seesAll(words: readonly string[]): Promise<void> {
    await untilEqual('the messages in the thread', words, () => this.messages());
  }

  /** The line under one's own last messages: waiting, sent, read. */
  async seesState(words: string): Promise<void> {
    const foot = this.log.locator('.message--own .message__foot').last();
    await until(`"${words}" under one's own last message`, async () =>
      (await foot.textContent({ timeout: PATIENCE_MS }))?.includes(words),
    );
  }

  async composerHolds(words: string): Promise<void> {
    await untilEqual('the words in the writing field', words, () => this.composer.inputValue());
  }

  /** Until all that opens the app without a network is kept here: the shell, and the inbox with its first threads. */
  async isKept(): Promise<void> {
    await until('the shell to be kept', () => this.page.evaluate(() => navigator.serviceWorker.controller !== null));
    const kept = await this.messages();
    await until('the messages on the screen to be kept', async () => {
      const stored = JSON.stringify(await storedIn(this.page));
      return kept.every((words) => stored.includes(words));
    });
  }

  async seesText(words: string): Promise<void> {
    await this.page.getByText(words).first().waitFor();
  }
}

/** One pane at a time, and a thumb. */
function isPhone({ size = DESK }: DeviceOptions): boolean {
  return size.width < 600;
}

function contextOptions(options: DeviceOptions): BrowserContextOptions {
  const { size = DESK, theme = 'light' } = options;
  return {
    viewport: size,
    colorScheme: theme,
    locale: 'da-DK',
    timezoneId: 'Europe/Copenhagen',
    ...(isPhone(options) ? { isMobile: true, hasTouch: true } : {}),
  };
}

async function launchKept(folder: string, options: DeviceOptions): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(folder, { ...LAUNCH, ...contextOptions(options) });
  return prepared(context, options);
}

async function prepared(context: BrowserContext, { language }: DeviceOptions): Promise<BrowserContext> {
  context.setDefaultTimeout(PATIENCE_MS);
  if (language) await context.addInitScript((chosen) => localStorage.setItem('samtale.language', chosen), language);
  return context;
}

async function firstPage(context: BrowserContext): Promise<Page> {
  return context.pages()[0] ?? (await context.newPage());
}
