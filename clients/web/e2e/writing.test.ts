import { expect, test } from 'vitest';
import { DESK } from './harness/device.ts';
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
  const option = page.getByRole('option').filter({ has: page.getByText(parents, { exact: true }) });
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
