import { test } from 'vitest';
import { PHONE } from './harness/device.ts';
import { setStage } from './harness/stage.ts';

const stage = setStage();

test('a newcomer gets in with the code on their sheet, and later with the password that they chose', async () => {
  const { name, username, code } = stage.school.newcomer();
  const phone = await stage.device({ size: PHONE, allow: ['refusals'] });
  await phone.page.getByRole('link', { name: phone.text('login-to-activate') }).click();
  await phone.page.getByLabel(phone.text('login-username'), { exact: true }).fill(username);
  await phone.page.getByLabel(phone.text('activate-new-password'), { exact: true }).fill('en lille sætning om en ræv');
  await phone.page.getByLabel(phone.text('activate-code'), { exact: true }).fill('K7QM-2XWD-9RTF-H4VB');
  await phone.button('activate-submit').click();
  await phone.seesText(phone.text('error-invalid-activation-code'));

  // As it is typed from paper: in small letters, with spaces for dashes.
  await phone.page
    .getByLabel(phone.text('activate-code'), { exact: true })
    .fill(code.toLowerCase().replaceAll('-', ' '));
  await phone.button('activate-submit').click();
  await phone.isInside();
  await phone.page.getByRole('link', { name: phone.text('settings-title') }).click();
  await phone.seesText(name);
  await phone.logOut();
  await phone.enter({ username, password: 'en lille sætning om en ræv' });
});
