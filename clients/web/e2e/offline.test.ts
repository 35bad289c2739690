import { expect, test } from 'vitest';
import { PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();
const WRITTEN = ['Vi kommer lidt senere.', 'Bussen holder stille.', 'Nu kører den igen.'];

test('three messages written offline, in a browser that is closed and opened again, arrive once and in order', async () => {
  const [teacher, guardian] = [await stage.correspondent('teacher'), await stage.correspondent('guardian')];
  const thread = await teacher.startThread(guardian, 'Aflevering i morgen', 'Hvornår kommer I?');
  const phone = await stage.keptDevice({ size: PHONE, allow: ['network_away'] });
  await phone.logIn('guardian', { isOwnDevice: true });
  await phone.openThread('Aflevering i morgen');
  await phone.sees('Hvornår kommer I?');
  await phone.isKept();

  await phone.goOffline();
  await phone.seesText(phone.text('connection-offline'));
  for (const words of WRITTEN) await phone.say(words);
  await phone.seesState(phone.text('thread-queued'));
  await phone.seesText(phone.text('connection-waiting', { count: 3 }));
  expect(await teacher.stored(thread)).toEqual(['Hvornår kommer I?']);
  await phone.shut();

  await phone.reopen({ isOffline: true });
  await phone.openThread('Aflevering i morgen');
  await phone.seesAll(['Hvornår kommer I?', ...WRITTEN]);
  await phone.seesState(phone.text('thread-queued'));
  await phone.goOnline();
  await phone.seesState(phone.text('thread-sent'));
  await phone.seesAll(['Hvornår kommer I?', ...WRITTEN]);
  expect(await teacher.stored(thread)).toEqual(['Hvornår kommer I?', ...WRITTEN]);
  expect(teacher.app.texts(thread).slice(-3)).toEqual(WRITTEN);
});

test('with the server down, the app opens and shows the inbox as it was last', async () => {
  const [teacher, guardian] = [await stage.correspondent('teacher'), await stage.correspondent('guardian')];
  const thread = await teacher.startThread(guardian, 'Fødselsdag i klassen', 'Bagerne er bestilt.');
  const phone = await stage.keptDevice({ size: PHONE, allow: ['network_away'] });
  await phone.logIn('guardian', { isOwnDevice: true });
  await phone.openThread('Fødselsdag i klassen');
  await phone.sees('Bagerne er bestilt.');
  await phone.isKept();
  await phone.shut();

  await stage.school.kill();
  await phone.reopen();
  await phone.isInside();
  await phone.openThread('Fødselsdag i klassen');
  await phone.sees('Bagerne er bestilt.');
  await phone.seesText(phone.text('connection-try-now'));

  await stage.school.start();
  await teacher.say(thread, 'Tak for kagen!');
  await phone.tryNow();
  await phone.sees('Tak for kagen!');
});
