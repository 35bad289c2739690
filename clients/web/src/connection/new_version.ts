import { signal } from '@preact/signals';

/** A new version of the app that is here and waits, because the person is in the middle of something. */
export const newVersion = signal<ServiceWorker | null>(null);

/** Keeps the shell on the device, and learns of new versions of it. */
export function followNewVersions(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const isFirst = navigator.serviceWorker.controller === null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!isFirst) location.reload();
  });
  void register();
}

/** The page is loaded anew with it. */
export function takeNewVersion(): void {
  newVersion.value?.postMessage('take-over');
}

async function register(): Promise<void> {
  try {
    const registration = await navigator.serviceWorker.register('/service-worker.js');
    offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const { installing } = registration;
      installing?.addEventListener('statechange', () => {
        if (installing.state === 'installed') offer(installing);
      });
    });
  } catch {
    // Without it the app works as a page does; only opening without a network does not.
  }
}

function offer(worker: ServiceWorker | null): void {
  if (worker && navigator.serviceWorker.controller) newVersion.value = worker;
}
