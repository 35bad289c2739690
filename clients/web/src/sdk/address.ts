// Where a server is: `https://host:port`, or the origin of the page.

import { AddressError } from './errors.ts';

export class ServerAddress {
  readonly #origin: URL;

  /** Reads `http://host:port` or `https://host:port`, with nothing after it. */
  constructor(text: string) {
    let url: URL;
    try {
      url = new URL(text.trim());
    } catch {
      throw new AddressError('a server address is https://host:port');
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new AddressError('a server address begins with https:// or http://');
    }
    if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
      throw new AddressError('nothing follows the port in a server address');
    }
    this.#origin = url;
  }

  /** The address of a page of the HTTP interface. */
  page(path: string): string {
    return new URL(path, this.#origin).href;
  }

  /** The address of the socket. */
  get socket(): string {
    const url = new URL('/v1/ws', this.#origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href;
  }

  toString(): string {
    return this.#origin.origin;
  }
}
