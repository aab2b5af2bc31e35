// Secrets, for those who keep them. The mechanism itself is shared with clients: common/scram.ts.
export { buildScramSecret, isScramSecret } from '../../common/scram.ts';
