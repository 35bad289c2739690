import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { DESK } from './harness/device.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();

test('by keyboard alone: log in, open a thread, answer, start a new thread, leave it', async () => {
  const { username, password } = stage.school.login('teacher');
  const guardian = stage.school.login('guardian');
  const [teacher, other] = [await stage.correspondent('teacher'), await stage.correspondent('guardian')];
  await other.startThread(teacher, 'Glemt madpakke', 'Må jeg lægge den på kontoret?');
  await other.startThread(teacher, 'Nyt telefonnummer', 'Det er ændret.');
  const desk = await stage.device({ size: DESK });
  const { page, text } = desk;
  const { keyboard } = page;

  await desk.button('login-submit').waitFor();
  await tabTo(page, page.getByLabel(text('login-username'), { exact: true }));
  await keyboard.type(username);
  await tabTo(page, page.getByLabel(text('login-password'), { exact: true }));
  await keyboard.type(password);
  await keyboard.press('Enter');
  await desk.isInside();

  // Tab comes to the list, the arrows go through it.
  const [first, second] = [desk.entry('Nyt telefonnummer'), desk.entry('Glemt madpakke')];
  await first.waitFor();
  await tabTo(page, first.getByRole('link'));
  await keyboard.press('ArrowDown');
  await isFocused(second.getByRole('link'));
  await keyboard.press('Enter');
  await desk.sees('Må jeg lægge den på kontoret?');
  await tabTo(page, desk.composer);
  await keyboard.type('Ja, det er helt fint.');
  await keyboard.press('Enter');
  await desk.sees('Ja, det er helt fint.');
  await desk.seesState(text('thread-sent'));

  await tabTo(page, page.getByRole('link', { name: text('inbox-new') }), 'Shift+Tab');
  await keyboard.press('Enter');
  await tabTo(page, page.getByRole('combobox', { name: text('compose-to') }));
  await keyboard.type(guardian.name);
  // At once, while the list still answers what was typed before: it must not choose the first of that.
  await keyboard.press('Enter');
  await page.getByRole('option', { name: guardian.name, selected: true }).waitFor();
  await keyboard.press('Enter');
  await page.getByRole('button', { name: text('compose-remove', { name: guardian.name }) }).waitFor();
  expect(await page.locator('.recipients__chosen').allTextContents()).toEqual([guardian.name]);
  await tabTo(page, page.getByLabel(text('compose-subject'), { exact: true }));
  await keyboard.type('Kort besked');
  await tabTo(page, page.getByLabel(text('compose-text'), { exact: true }));
  await keyboard.type('Hun har det godt igen.');
  await tabTo(page, desk.button('compose-submit'));
  await keyboard.press('Enter');
  await desk.sees('Hun har det godt igen.');

  await tabTo(page, desk.button('thread-details'));
  await keyboard.press('Enter');
  const details = page.getByRole('dialog', { name: text('thread-details') });
  await details.waitFor();
  await tabTo(page, details.getByRole('button', { name: text('thread-leave'), exact: true }));
  await keyboard.press('Enter');
  await tabTo(page, page.getByRole('button', { name: text('thread-leave-submit'), exact: true }));
  await keyboard.press('Enter');
  await desk.composer.waitFor({ state: 'detached' });
  await details.waitFor({ state: 'detached' });
  await desk.entry('Kort besked').getByText(text('inbox-left'), { exact: true }).waitFor();
});

/** More stops than any screen has on the way to something. */
const STOPS = 40;

/** Presses Tab until something has the focus. Whatever has it on the way must be on the screen and marked. */
async function tabTo(page: Page, goal: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await goal.waitFor();
  for (let stop = 0; stop < STOPS; stop += 1) {
    if (await hasFocus(goal)) return;
    await page.keyboard.press(key);
    const fault = await page.evaluate(faultOfFocus);
    if (fault) throw new Error(`after ${stop + 1} times ${key}: ${fault}`);
  }
  throw new Error(`${STOPS} times ${key} do not lead to ${goal}`);
}

async function isFocused(goal: Locator): Promise<void> {
  await goal.and(goal.page().locator(':focus')).waitFor();
}

function hasFocus(goal: Locator): Promise<boolean> {
  return goal.evaluate((element) => element === document.activeElement);
}

/** What is wrong with what has the focus now; null when it can be seen that it has it. */
function faultOfFocus(): string | null {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || focused === document.body) return null;
  const what = focused.outerHTML.slice(0, 120);
  const { top, bottom, left, right } = focused.getBoundingClientRect();
  const isOutside = bottom <= 0 || right <= 0 || top >= innerHeight || left >= innerWidth;
  if (isOutside) return `the focus is outside the window: ${what}`;
  const at = document.elementFromPoint(
    (Math.max(0, left) + Math.min(innerWidth, right)) / 2,
    (Math.max(0, top) + Math.min(innerHeight, bottom)) / 2,
  );
  const isSeen = at !== null && (focused.contains(at) || at.contains(focused));
  if (!isSeen) return `the focus is behind ${at?.outerHTML.slice(0, 120)}: ${what}`;
  for (let marked: Element | null = focused; marked; marked = marked.parentElement) {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(marked);
    if (outlineStyle !== 'none' && outlineWidth !== '0px') return null;
    if (marked === focused || marked === focused.parentElement) {
      if (boxShadow !== 'none') return null;
      continue;
    }
    break;
  }
  return `nothing marks the focus: ${what}`;
}
