import { expect, test } from 'vitest';
import { DESK, PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();
/** A right that ends must end on open pages within seconds. */
const AT_ONCE_MS = 3000;

test('who is taken out of a thread loses it at once, while it is open', async () => {
  const guardian = stage.school.login('guardian');
  const child = stage.school.login('child');
  const desk = await stage.device({ size: DESK });
  const phone = await stage.device({ size: PHONE });
  await Promise.all([desk.logIn('teacher'), phone.logIn('guardian')]);
  await desk.startThread({ to: guardian.name, subject: 'Klassefesten', words: 'Hvem bager?' });
  const details = await desk.openDetails();
  await details.getByRole('button', { name: desk.text('thread-add') }).click();
  await details.getByRole('combobox').fill(child.name);
  await details.getByRole('option', { name: `${child.name} ${desk.text('role-child')}` }).click();
  await details.getByRole('button', { name: desk.text('thread-add-submit'), exact: true }).click();
  await details.getByRole('button', { name: desk.text('thread-member-remove', { name: child.name }) }).waitFor();
  await phone.openThread('Klassefesten');
  await phone.say('Det gør vi.');

  await details.getByRole('button', { name: desk.text('thread-member-remove', { name: guardian.name }) }).click();
  await desk.page.getByRole('button', { name: desk.text('thread-member-remove-submit'), exact: true }).click();
  await phone.composer.waitFor({ state: 'detached', timeout: AT_ONCE_MS });

  await details.getByRole('button', { name: desk.text('app-close') }).click();
  await desk.say('Det her er kun for de andre.');
  await desk.seesState(desk.text('thread-sent'));
  // What is said after is on no wire to them: when something later has come, that has not.
  const later = await stage.correspondent('teacher');
  await later.startThread(await stage.correspondent('guardian'), 'Noget andet', 'Hej igen.');
  await phone.toInbox();
  await phone.entry('Noget andet').waitFor();
  await phone.entry('Klassefesten').getByRole('link').click();
  await phone.seesAll(['Hvem bager?', 'Det gør vi.']);
  expect(JSON.stringify(phone.watch.frames)).not.toContain('kun for de andre');
  expect(await phone.composer.count()).toBe(0);
});
