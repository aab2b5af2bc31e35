#!/usr/bin/env node
// The server program: postmaster -D <site>.
import { postmasterMain, type Services } from '../backend/postmaster/postmaster.ts';
import { standardOptions } from './getopt.ts';

const HELP = `postmaster looks after a Posthouse site and starts a server process for each connection.

Usage:
  postmaster [OPTION]...

Options:
  -B NBUFFERS        number of shared buffers (accepted, no effect)
  -c NAME=VALUE      set run-time parameter
  -C NAME            print value of run-time parameter, then exit
  -d 1-5             debugging level
  -D DATADIR         site (database directory)
  -h HOSTNAME        host name or IP address to listen on
  -i                 enable TCP/IP connections
  -k DIRECTORY       Unix-domain socket location
  -N MAX-CONNECT     maximum number of allowed connections
  -p PORT            port number to listen on
  --NAME=VALUE       set run-time parameter
  -V, --version      output version information, then exit
  -?, --help         show this help, then exit

Signals: SIGTERM waits for clients to leave, SIGINT disconnects them, SIGQUIT
stops at once; SIGHUP reads the configuration files again.
`;

/** Everything a child will run, so that the children find it loaded. */
async function loadServices(): Promise<Services> {
  const { postgresMain } = await import('../backend/tcop/postgres.ts');
  const { managerMain } = await import('../backend/transaction/manager.ts');
  const { answersQuery } = await import('../backend/tcop/proof.ts');
  const { rehearsal, warmUp } = await import('../backend/tcop/warm.ts');
  return { serve: postgresMain, manage: managerMain, answersQuery, warmUp, rehearsal };
}

standardOptions('postmaster', HELP);
await postmasterMain(process.argv.slice(2), loadServices);
