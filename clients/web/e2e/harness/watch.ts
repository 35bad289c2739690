import type { BrowserContext, Page } from 'playwright-core';
import { decode } from '../../src/sdk/codec.ts';
import type { ServerFrame } from '../../src/sdk/protocol.ts';

/** What Chromium writes to the console when the network or the server is away. The page cannot keep it from that. */
const NETWORK_AWAY =
  /ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|WebSocket is closed/;
/** An answer that the page asks for and shows in words of its own, such as that of a wrong password. */
const REFUSED = /status of 4\d\d/;

/** What may happen in a scenario without being a fault. */
export type Allowed = 'network_away' | 'refusals';

/**
 * Everything that a device asks the network for and complains of. A scenario ends with `faults()` being empty, whatever
 * else it was about.
 */
export class Watch {
  readonly frames: ServerFrame[] = [];
  /** How often a page was loaded: going from screen to screen loads none. */
  loads = 0;
  readonly #origin: string;
  readonly #allowed: ReadonlySet<Allowed>;
  #faults: string[] = [];

  constructor(context: BrowserContext, origin: string, allowed: readonly Allowed[]) {
    this.#origin = origin;
    this.#allowed = new Set(allowed);
    context.on('request', (request) => this.#asked(request.url()));
    context.on('response', (response) => {
      if (response.request().isNavigationRequest()) this.#policy(response.headers());
    });
    context.on('weberror', (error) => this.#faults.push(`thrown and not caught: ${error.error().stack}`));
    context.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#complained(message.text());
    });
    for (const page of context.pages()) this.#follow(page);
    context.on('page', (page) => this.#follow(page));
  }

  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Hands over what was found, and forgets it: for scenarios that provoke it. */
  take(): readonly string[] {
    const taken = this.#faults;
    this.#faults = [];
    return taken;
  }

  count(kind: ServerFrame['t']): number {
    return this.frames.filter((frame) => frame.t === kind).length;
  }

  #follow(page: Page): void {
    page.on('domcontentloaded', () => {
      this.loads += 1;
    });
    page.on('websocket', (socket) => {
      this.#asked(socket.url());
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload !== 'string') this.frames.push(decode('msgpack', payload));
      });
    });
  }

  #asked(url: string): void {
    const { protocol, host } = new URL(url);
    // What the page makes out of its own memory goes nowhere.
    if (protocol === 'data:' || protocol === 'blob:' || url === 'about:blank') return;
    if (host !== new URL(this.#origin).host) this.#faults.push(`asked another origin: ${url}`);
  }

  #policy(headers: Readonly<Record<string, string>>): void {
    const policy = headers['content-security-policy'] ?? '';
    const isStrict = policy.includes("default-src 'none'") && !policy.includes('unsafe');
    if (!isStrict) this.#faults.push(`a page with the content security policy "${policy}"`);
  }

  #complained(words: string): void {
    if (this.#allowed.has('network_away') && NETWORK_AWAY.test(words)) return;
    if (this.#allowed.has('refusals') && REFUSED.test(words)) return;
    this.#faults.push(`on the console: ${words}`);
  }
}
