import { expect, test } from 'vitest';
import { DESK, PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';
import { until } from './harness/until.ts';

const stage = setStage();

test('the server is killed and started again in mid-conversation: both go on, without a reload and without a resync', async () => {
  const guardian = stage.school.login('guardian');
  const desk = await stage.device({ size: DESK, allow: ['network_away'] });
  const phone = await stage.device({ size: PHONE, allow: ['network_away'] });
  await Promise.all([desk.logIn('teacher'), phone.logIn('guardian')]);
  await desk.startThread({ to: guardian.name, subject: 'Samtale om skolestart', words: 'Passer mandag?' });
  await phone.openThread('Samtale om skolestart');
  await phone.sees('Passer mandag?');
  await phone.say('Hellere tirsdag.');
  await desk.sees('Hellere tirsdag.');

  await stage.school.kill();
  await desk.say('Så siger vi tirsdag.');
  await phone.say('Klokken fire?');
  await desk.seesState(desk.text('thread-queued'));
  await phone.seesState(phone.text('thread-queued'));

  await stage.school.start();
  await desk.sees('Klokken fire?');
  await phone.sees('Så siger vi tirsdag.');
  await desk.say('Ja, vi ses.');
  await phone.sees('Ja, vi ses.');
  await phone.say('Tak!');
  await desk.sees('Tak!');

  const all = await desk.messages();
  expect([...all].sort()).toEqual(
    ['Passer mandag?', 'Hellere tirsdag.', 'Så siger vi tirsdag.', 'Klokken fire?', 'Ja, vi ses.', 'Tak!'].sort(),
  );
  await phone.seesAll(all);
  for (const { watch } of [desk, phone]) {
    await until('the answer to the resume', () => watch.count('resumed') > 0);
    expect({ loads: watch.loads, resyncs: watch.count('resync') }).toEqual({ loads: 1, resyncs: 0 });
  }
});
