import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LAUNCH } from './harness/chromium.ts';
import { Cluster, missingForCluster, skipped } from './harness/cluster.ts';
import { DESK, Device, PHONE } from './harness/device.ts';

const missing = missingForCluster();
if (missing) skipped('the page on several gateways', missing);

let cluster: Cluster | undefined;
let browser: Browser | undefined;

beforeAll(async () => {
  if (missing) return;
  [cluster, browser] = await Promise.all([Cluster.open(), chromium.launch(LAUNCH)]);
});

afterAll(async () => {
  await browser?.close();
  await cluster?.close();
});

test.skipIf(missing)(
  'a teacher on one gateway and a parent on another see what each other writes, types and when they come and go',
  async () => {
    if (!cluster || !browser) throw new Error('nothing was started');
    const guardian = cluster.gateway(3).login('guardian');
    const desk = await Device.open(cluster.gateway(1), browser, { size: DESK });
    const phone = await Device.open(cluster.gateway(3), browser, { size: PHONE });
    expect(new URL(desk.page.url()).port).not.toBe(new URL(phone.page.url()).port);
    await desk.logIn('teacher');
    await desk.startThread({ to: guardian.name, subject: 'Fotografen kommer', words: 'Fotografen kommer på mandag.' });
    const seesOnline = desk.page.locator('.thread__online');
    await seesOnline.waitFor({ state: 'detached' });

    await phone.logIn('guardian');
    await seesOnline.waitFor();
    await phone.openThread('Fotografen kommer');
    await phone.sees('Fotografen kommer på mandag.');
    await desk.seesState(desk.text('thread-read-by-all'));

    await phone.composer.pressSequentially('Skal hun have pænt tøj på?');
    await desk.seesText(desk.text('thread-typing-one', { name: guardian.name }));
    await phone.send();
    await desk.sees('Skal hun have pænt tøj på?');
    await desk.composer.pressSequentially('Kun hvis hun vil.');
    await phone.seesText(phone.text('thread-typing-one', { name: cluster.gateway(1).login('teacher').name }));
    await desk.send();
    const all = ['Fotografen kommer på mandag.', 'Skal hun have pænt tøj på?', 'Kun hvis hun vil.'];
    await desk.seesAll(all);
    await phone.seesAll(all);

    const faults = [...phone.faults];
    await phone.close();
    await seesOnline.waitFor({ state: 'detached' });
    expect([...faults, ...desk.faults]).toEqual([]);
    await desk.close();
  },
);
