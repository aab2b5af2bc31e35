// Every command of the server, joined: importing this file makes processUtility know them.
import { registerUtilities } from '../tcop/utility.ts';
import { COPY_COMMANDS } from './copy.ts';
import { PORTAL_COMMANDS } from './portalcmds.ts';
import { PREPARE_COMMANDS } from './prepare.ts';
import { TRANSACTION_COMMANDS } from './transaction.ts';
import { VARIABLE_COMMANDS } from './variable.ts';

registerUtilities({
  ...TRANSACTION_COMMANDS, ...PORTAL_COMMANDS, ...PREPARE_COMMANDS, ...VARIABLE_COMMANDS, ...COPY_COMMANDS,
});
