// What is kept of the person is opened, becomes this tab's to send, or turns out to be changed by another tab.

import type { Moment } from '../clock.ts';
import type { Entry, LostStamp } from '../outbox.ts';
import type { Cursor, PersonId } from '../protocol.ts';
import type { Core } from './core.ts';
import { transmitWaiting } from './on_application.ts';

export function onStoreOpened(core: Core, person: PersonId, entries: Entry[], cursor: Cursor | undefined): void {
  core.person = person;
  core.cursor ??= cursor;
  for (const entry of entries) core.sends.add(entry);
}

export function onOutboxOwned(core: Core, now: Moment, entries: Entry[]): void {
  core.sends.own(entries);
  transmitWaiting(core, now);
}

export function onStampLost(core: Core, now: Moment, lost: LostStamp): void {
  core.requests.takeBackSend(lost.client_id);
  core.sends.stampLost(lost);
  transmitWaiting(core, now);
}
