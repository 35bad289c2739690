import { expect, test } from 'vitest';
import { barriersOn } from './harness/barriers.ts';
import { heaviestTask } from './harness/main_thread.ts';
import { setStage } from './harness/stage.ts';
import { until } from './harness/until.ts';

/** Every other scenario hangs on these seeing what is wrong, so here it is wrong. */
const stage = setStage();

test('a request to another origin, and what the policy refuses, are seen', async () => {
  const desk = await stage.device();
  await desk.page.evaluate(() => fetch('https://elsewhere.example/').catch(() => {}));
  const refused = await until('the refusal to be seen', () => desk.faults.length > 0 && desk.watch.take());
  expect(refused.join()).toMatch(/elsewhere\.example/);

  await desk.page.goto('https://elsewhere.example/').catch(() => {});
  const left = await until('the request to be seen', () => desk.faults.length > 0 && desk.watch.take());
  expect(left.join()).toContain('asked another origin: https://elsewhere.example/');
});

test('what is thrown and not caught, or complained of on the console, is seen', async () => {
  const desk = await stage.device();
  await desk.page.evaluate(() => {
    setTimeout(() => {
      throw new Error('nobody catches this');
    });
  });
  const thrown = await until('the error to be seen', () => desk.faults.length > 0 && desk.watch.take());
  expect(thrown.join()).toContain('nobody catches this');
});

test('axe sees what keeps people out', async () => {
  const desk = await stage.device();
  await desk.button('login-submit').waitFor();
  expect(await barriersOn(desk.page)).toEqual([]);
  await desk.page.evaluate(() => {
    document.documentElement.removeAttribute('lang');
    document.querySelector('main')?.append(document.createElement('button'));
    const pale = document.createElement('p');
    pale.textContent = 'Hardly to be seen';
    pale.style.color = '#dddddd';
    document.querySelector('main')?.append(pale);
  });
  const found = (await barriersOn(desk.page)).join();
  for (const rule of ['html-has-lang', 'button-name', 'color-contrast']) expect(found).toContain(rule);
});

test('a frame that is too much work is seen', async () => {
  const desk = await stage.device();
  const task = await heaviestTask(desk.page, () =>
    desk.page.evaluate(
      (rounds) =>
        new Promise<void>((resolve) => {
          requestAnimationFrame(() => {
            let sum = 0;
            for (let round = 0; round < rounds; round += 1) sum += Math.sqrt(round);
            // Told, so that no compiler leaves the work out.
            document.title = String(sum);
            resolve();
          });
        }),
      200_000_000,
    ),
  );
  expect(task).toBeGreaterThan(50);
});
