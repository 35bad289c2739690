import { test } from 'vitest';
import { DESK, PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();

test('what one device has read and half written is on the other', async () => {
  const [teacher, guardian] = [await stage.correspondent('teacher'), await stage.correspondent('guardian')];
  await teacher.startThread(guardian, 'Svømning på fredag', 'Husk håndklæde.');
  const desk = await stage.device({ size: DESK });
  const phone = await stage.device({ size: PHONE });
  await Promise.all([desk.logIn('guardian'), phone.logIn('guardian')]);
  for (const device of [desk, phone]) {
    await device
      .entry('Svømning på fredag')
      .getByText(device.text('inbox-unread', { count: 1 }))
      .waitFor();
  }

  await phone.openThread('Svømning på fredag');
  await phone.sees('Husk håndklæde.');
  await desk.entry('Svømning på fredag').locator('.entry__unread').waitFor({ state: 'detached' });

  await phone.write('Skal hun også have');
  const preview = desk.text('inbox-draft', { preview: 'Skal hun også have' });
  await desk.entry('Svømning på fredag').getByText(preview).waitFor();
  await desk.openThread('Svømning på fredag');
  await desk.composerHolds('Skal hun også have');
  await desk.write('Skal hun også have badehætte?');
  await desk.send();
  await phone.sees('Skal hun også have badehætte?');
  await desk.composerHolds('');
});
