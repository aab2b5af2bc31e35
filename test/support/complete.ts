// In every test file: when its tests are through, its process ends, whatever a test has left open.
import { registerCompletionHandler } from 'ava';

registerCompletionHandler(() => { process.exit(); });
