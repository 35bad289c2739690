import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { LAUNCH } from './chromium.ts';
import { Correspondent } from './correspondent.ts';
import { Device, type DeviceOptions } from './device.ts';
import { SCREENSHOTS } from './places.ts';
import { type Role, School } from './school.ts';

/** A school and a browser for the scenarios of one file, and the devices of the one that runs. */
export interface Stage {
  readonly school: School;
  /** A browser that forgets all when the scenario ends. */
  device(options?: DeviceOptions): Promise<Device>;
  /** A browser that can be closed and opened again. */
  keptDevice(options?: DeviceOptions): Promise<Device>;
  /** Somebody at another client, for what need not be seen. */
  correspondent(role: Role): Promise<Correspondent>;
}

/**
 * Sets the stage for the scenarios of a file. After each one, whatever it was about: no request has left the origin,
 * every page came with its content security policy, and nothing was thrown or complained of on the console.
 */
export function setStage(settings: readonly string[] = []): Stage {
  let school: School;
  let browser: Browser;
  let devices: Device[] = [];
  let correspondents: Correspondent[] = [];

  beforeAll(async () => {
    [school, browser] = await Promise.all([School.open(settings), chromium.launch(LAUNCH)]);
  });

  afterEach(async ({ task }) => {
    const isFailed = task.result?.state === 'fail';
    if (isFailed) await picture(devices, task.name);
    const faults = devices.flatMap((device) => device.faults);
    await Promise.all([...devices.map((device) => device.close()), ...correspondents.map((one) => one.stop())]);
    devices = [];
    correspondents = [];
    expect(faults).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await school?.close();
  });

  return {
    get school() {
      return school;
    },
    device: async (options = {}) => kept(devices, await Device.open(school, browser, options)),
    keptDevice: async (options = {}) => kept(devices, await Device.openKept(school, options)),
    correspondent: async (role) => kept(correspondents, await Correspondent.arrive(school, role)),
  };
}

function kept<Item>(list: Item[], item: Item): Item {
  list.push(item);
  return item;
}

/** What the pages looked like when it went wrong. */
async function picture(devices: readonly Device[], name: string): Promise<void> {
  const folder = join(SCREENSHOTS, 'failed');
  mkdirSync(folder, { recursive: true });
  for (const [place, device] of devices.entries()) {
    const path = join(folder, `${name.replace(/[^\w]+/g, '-')}-${place + 1}.png`);
    await device.page.screenshot({ path }).catch(() => {});
  }
}
