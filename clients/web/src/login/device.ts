import { forgetPerson, newId } from '../sdk/index.ts';
import type { DeviceId, PersonId } from '../sdk/protocol.ts';
import { forgetSnapshot } from '../store/keeping.ts';

const DEVICE = 'samtale.device';
const PERSON = 'samtale.person';

/** Who was logged in here, and whether the device is their own. */
export interface LastLogin {
  readonly person: PersonId;
  readonly isOwnDevice: boolean;
}

/** Names the installation towards the server. It says nothing about who uses it, so it stays. */
export function deviceId(): DeviceId {
  const known = localStorage.getItem(DEVICE);
  if (known) return known;
  const made = newId();
  localStorage.setItem(DEVICE, made);
  return made;
}

/** On one's own device for good; on another only until the tab is closed, so that a reload goes on. */
export function rememberLogin({ person, isOwnDevice }: LastLogin): void {
  (isOwnDevice ? localStorage : sessionStorage).setItem(PERSON, person);
}

export function lastLogin(): LastLogin | null {
  const inTab = sessionStorage.getItem(PERSON);
  if (inTab) return { person: inTab, isOwnDevice: false };
  const own = localStorage.getItem(PERSON);
  return own ? { person: own, isOwnDevice: true } : null;
}

/** Of this person only: the device may be another's own. */
export function forgetLogin(person: PersonId): void {
  for (const storage of [localStorage, sessionStorage]) {
    if (storage.getItem(PERSON) === person) storage.removeItem(PERSON);
  }
}

/** Whose own device it is, whoever uses it now. */
export function ownerOfDevice(): PersonId | null {
  return localStorage.getItem(PERSON);
}

/** Deletes all that this browser keeps of a person, also what waits to be sent. */
export async function forgetAll(person: PersonId): Promise<void> {
  await Promise.all([forgetPerson(person), forgetSnapshot(person)]);
}
