import { expect, test } from 'vitest';
import { DESK, type Device, PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();

test("a child's parents are chosen by their relation, each of them once", async () => {
  const child = stage.school.login('child');
  const guardian = stage.school.login('guardian');
  const desk = await stage.device({ size: DESK });
  const { page, text } = desk;
  await desk.logIn('teacher');
  await page.getByRole('link', { name: text('inbox-new') }).click();
  await page.getByRole('combobox', { name: text('compose-to') }).fill(child.name);
  const parents = text('compose-child-guardians', { name: child.name });
  const option = desk.recipient(parents);
  const named = (await option.locator('.recipients__beside').textContent())?.split(', ') ?? [];
  expect(named).toContain(guardian.name);
  expect(named).toEqual([...new Set(named)]);

  await option.click();
  await page.getByLabel(text('compose-subject'), { exact: true }).fill('Forældresamtale');
  await page.getByLabel(text('compose-text'), { exact: true }).fill('Hvornår passer det jer?');
  await desk.button('compose-submit').click();
  await desk.sees('Hvornår passer det jer?');
  const details = await desk.openDetails();
  const members = await details.locator('.members__name').allTextContents();
  expect(members).toHaveLength(named.length + 1);
  for (const name of named) expect(members.filter((member) => member.startsWith(name))).toHaveLength(1);
});

test('on a phone Enter makes a new line and the button sends, and no keys are spoken of that it does not have', async () => {
  const [teacher, guardian] = [await stage.correspondent('teacher'), await stage.correspondent('guardian')];
  await teacher.startThread(guardian, 'Indkøb', 'Hvad mangler vi?');
  const [phone, desk] = [await stage.device({ size: PHONE }), await stage.device({ size: DESK })];
  await Promise.all([phone.logIn('guardian'), desk.logIn('guardian')]);
  await Promise.all([phone.openThread('Indkøb'), desk.openThread('Indkøb')]);
  const keys = (device: Device) => device.page.getByText(device.text('thread-new-line'));
  await keys(desk).waitFor();
  expect(await keys(phone).isVisible()).toBe(false);

  await phone.composer.pressSequentially('Mel');
  await phone.page.keyboard.press('Enter');
  await phone.composer.pressSequentially('Æg');
  await phone.composerHolds('Mel\nÆg');
  await phone.send();
  await phone.seesAll(['Hvad mangler vi?', 'Mel\nÆg']);
});

test('a recipient who is typed but not chosen stops the letter, in words, until they are chosen or gone', async () => {
  const guardian = stage.school.login('guardian');
  const desk = await stage.device({ size: DESK });
  const { page, text } = desk;
  await desk.logIn('teacher');
  await page.getByRole('link', { name: text('inbox-new') }).click();
  const to = page.getByRole('combobox', { name: text('compose-to') });
  await to.fill(guardian.name);
  await desk.recipient(guardian.name).click();
  await desk.button('compose-remove', { name: guardian.name }).waitFor();
  await page.getByLabel(text('compose-subject'), { exact: true }).fill('Læsebogen');
  await page.getByLabel(text('compose-text'), { exact: true }).fill('Den ligger her.');
  await to.fill('Lin');
  await desk.button('compose-submit').click();
  const fault = page.getByText(text('compose-missing-choice', { search: 'Lin' }));
  await fault.waitFor();
  await to.fill('');
  await fault.waitFor({ state: 'detached' });
  await desk.button('compose-submit').click();
  await desk.sees('Den ligger her.');
});
