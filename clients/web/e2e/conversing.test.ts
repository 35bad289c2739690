import { expect, test } from 'vitest';
import { DESK, PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';
import { until } from './harness/until.ts';

const stage = setStage();

test('a teacher at a desk and a parent with a phone converse', async () => {
  const teacher = stage.school.login('teacher');
  const guardian = stage.school.login('guardian');
  const desk = await stage.device({ size: DESK });
  const phone = await stage.device({ size: PHONE });
  await Promise.all([desk.logIn('teacher'), phone.logIn('guardian')]);

  await desk.startThread({ to: guardian.name, subject: 'Turen til skoven', words: 'Husk gummistøvler på torsdag.' });
  await phone.openThread('Turen til skoven');
  await phone.sees('Husk gummistøvler på torsdag.');
  await desk.seesState(desk.text('thread-read-by-all'));

  await phone.composer.pressSequentially('Det gør vi');
  await desk.seesText(desk.text('thread-typing-one', { name: guardian.name }));
  await phone.send();
  await desk.sees('Det gør vi');
  // A parent is told that it is stored; what staff have read is shown to staff only, as the school has it from the start.
  await phone.seesState(phone.text('thread-sent'));

  await desk.composer.pressSequentially('Godt. Vi går klokken ni.');
  await phone.seesText(phone.text('thread-typing-one', { name: teacher.name }));
  await desk.page.keyboard.press('Enter');
  const all = ['Husk gummistøvler på torsdag.', 'Det gør vi', 'Godt. Vi går klokken ni.'];
  await phone.seesAll(all);
  await desk.seesAll(all);
  await until('the typing mark to go', async () => !(await phone.page.locator('.composer__typing').textContent()));
  expect([desk.watch.loads, phone.watch.loads]).toEqual([1, 1]);
});

test('what comes while another screen is open is counted in the inbox, and read when it is opened', async () => {
  const [teacher, guardian] = [await stage.correspondent('teacher'), await stage.correspondent('guardian')];
  const thread = await teacher.startThread(guardian, 'Lus i klassen', 'Se efter i aften.');
  const phone = await stage.device({ size: PHONE });
  await phone.logIn('guardian');
  await phone
    .entry('Lus i klassen')
    .getByText(phone.text('inbox-unread', { count: 1 }))
    .waitFor();
  await teacher.say(thread, 'Kammen ligger i tasken.');
  await phone
    .entry('Lus i klassen')
    .getByText(phone.text('inbox-unread', { count: 2 }))
    .waitFor();
  await phone.openThread('Lus i klassen');
  await phone.seesText(phone.text('thread-new'));
  await phone.seesAll(['Se efter i aften.', 'Kammen ligger i tasken.']);
  await phone.toInbox();
  await phone.entry('Lus i klassen').locator('.entry__unread').waitFor({ state: 'detached' });
});

test('a wrong password is refused in words', async () => {
  const desk = await stage.device({ allow: ['refusals'] });
  await desk.page.getByLabel(desk.text('login-username'), { exact: true }).fill('anne.holm');
  await desk.page.getByLabel(desk.text('login-password'), { exact: true }).fill('forkert adgangskode');
  await desk.button('login-submit').click();
  await desk.seesText(desk.text('error-wrong-credentials'));
});
