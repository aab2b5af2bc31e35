// Waiting for the frontend's next message. A session that listens also waits for its transaction manager, which tells
// of notifications; those go out at once when no block is open.
import { EINTR, POLLIN, port } from '../../port/port.ts';
import { client } from '../transaction/client.ts';
import { transactionBlockStatus } from '../transaction/xact.ts';
import { checkForSignals } from '../utils/interrupts.ts';
import { giveMemoryBack, memoryWasLarge } from '../utils/memory_limit.ts';
import { frontend, sendNotificationResponse } from './protocol.ts';

/** So long without a message, and a session gives back what memory large statements have left. */
const REST_MS = 1000;

const fds = new Int32Array(2);
const events = new Int16Array([POLLIN, POLLIN]);
const revents = new Int16Array(2);

/** The type of the next message; -1: the frontend has closed the connection. */
export function waitForMessage(): number {
  if (frontend.buffered === 0) {
    if (transactionBlockStatus() === 'I') sendNotifications();
    frontend.flush();
    if (memoryWasLarge()) restIfIdle();
    waitForInput();
  }
  return frontend.readMessage();
}

function restIfIdle(): void {
  for (let leftMs = REST_MS, from = performance.now(); ;) {
    const notifyFd = client.notifyFd;
    fds[0] = frontend.fd;
    fds[1] = notifyFd;
    const ready = port.poll(fds, events, revents, notifyFd < 0 ? 1 : 2, Math.max(0, Math.ceil(leftMs)));
    if (ready === 0) giveMemoryBack();
    if (ready !== -EINTR) return;
    // Signals do not end the rest: statistics have one after a second, too.
    checkForSignals();
    leftMs = REST_MS - (performance.now() - from);
  }
}

function waitForInput(): void {
  for (;;) {
    const notifyFd = client.notifyFd;
    if (notifyFd < 0) return; // readMessage blocks by itself
    fds[0] = frontend.fd;
    fds[1] = notifyFd;
    const ready = port.poll(fds, events, revents, 2, -1);
    if (ready === -EINTR) checkForSignals();
    if (ready <= 0) continue;
    if (revents[1] !== 0 && transactionBlockStatus() === 'I') {
      sendNotifications();
      frontend.flush();
    }
    if (revents[0] !== 0) return;
    // In a block, notifications wait for its end: nothing to poll for but the frontend.
    if (transactionBlockStatus() !== 'I') return;
  }
}

export function sendNotifications(): void {
  for (const { pid, channel, payload } of client.drainNotifications()) sendNotificationResponse(pid, channel, payload);
}
