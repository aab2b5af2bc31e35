// The wire protocol, message by message. AGAINST=postgresql runs the same against Debian's PostgreSQL.
import test from 'ava';
import { int16, int32, RawClient, show, string } from '../support/raw_client.ts';
import { processInfo, until } from '../support/run.ts';
import { startSite, type Site } from '../support/site.ts';

let site: Site;
let client: RawClient;
/** Resolves when the backend of this client is at work on a SELECT. */
const selecting = async (c: RawClient): Promise<void> => until('it selects', () => processInfo(c.processId)?.title.endsWith(' SELECT') === true);
test.before(async () => { site = await startSite({ ini: 'authentication_timeout = 2' }); });
test.beforeEach(async () => { client = await RawClient.open(site.port); });
test.afterEach.always(() => client.end());
test.after.always(async () => site?.remove());

test.serial('start-up tells the parameters', async (t) => {
  const names = ['server_version', 'server_encoding', 'client_encoding', 'application_name', 'is_superuser', 'session_authorization', 'DateStyle',
    'IntervalStyle', 'TimeZone', 'integer_datetimes', 'standard_conforming_strings', 'default_transaction_read_only', 'in_hot_standby'];
  t.deepEqual(Object.keys(client.parameters).sort(), names.sort());
  t.regex(client.parameters['server_version']!, /^15\.18/);
  t.like(client.parameters, { client_encoding: 'UTF8', server_encoding: 'UTF8', is_superuser: 'on', session_authorization: 'postgres', integer_datetimes: 'on' });
  const second = await RawClient.open(site.port, { application_name: 'coach', options: '-c datestyle=german --work_mem=1MB', search_path: 'pg_catalog' });
  t.like(second.parameters, { application_name: 'coach', DateStyle: 'German, DMY' });
  t.deepEqual(await second.query('show work_mem'), [['1MB']]);
  t.deepEqual(await second.query('show search_path'), [['pg_catalog']]);
  second.Query("set application_name = 'mail'");
  t.deepEqual((await second.answer()).sort(), ['CommandComplete SET', 'ParameterStatus', 'ReadyForQuery I']);
  second.end();
});

test.serial('simple query: several statements, empty ones, errors end the string', async (t) => {
  client.Query('select 1 as a, null::text as b; select true; ; values (1.50)');
  t.deepEqual(await client.answer(), ['RowDescription a:23,b:25', 'DataRow 1|NULL', 'CommandComplete SELECT 1', 'RowDescription ?column?:16', 'DataRow t',
    'CommandComplete SELECT 1', 'RowDescription column1:1700', 'DataRow 1.50', 'CommandComplete SELECT 1', 'ReadyForQuery I']);
  client.Query('');
  t.deepEqual(await client.answer(), ['EmptyQueryResponse', 'ReadyForQuery I']);
  client.Query(' ; -- nothing');
  t.deepEqual(await client.answer(), ['EmptyQueryResponse', 'ReadyForQuery I']);
  client.Query('select 1; select 1/0; select 2');
  t.deepEqual(await client.answer(), ['RowDescription ?column?:23', 'DataRow 1', 'CommandComplete SELECT 1', 'ErrorResponse 22012 division by zero', 'ReadyForQuery I']);
  client.Query('select 1 from; select 2');
  t.deepEqual(await client.answer(), ['ErrorResponse 42601 syntax error at or near ";" at 14', 'ReadyForQuery I']);
});

// What was planned for a text answered it again after SET datestyle, and 'now' stood still.
test.serial('the same text again means what it says now', async (t) => {
  const date = "select '01/02/03'::date::timestamp - '2000-01-01'";
  await client.query('set datestyle = ymd');
  const before = await client.query(date);
  await client.query('set datestyle = dmy');
  t.notDeepEqual(await client.query(date), before);
  await client.query('set datestyle = ymd');
  t.deepEqual(await client.query(date), before);
  for (const now of ["select timestamp 'now'", "select 1, 'now'::timestamptz"]) {
    const first = await client.query(now);
    let again = first;
    for (let i = 0; i < 100 && again.join() === first.join(); i++) again = await client.query(now);
    t.notDeepEqual(again, first);
  }
});

test.serial('simple query: one string is one transaction', async (t) => {
  await client.query('create table one_string (a int primary key)');
  client.Query('insert into one_string values (1); insert into one_string values (2); select 1/0');
  t.deepEqual(await client.answer(), ['CommandComplete INSERT 0 1', 'CommandComplete INSERT 0 1', 'ErrorResponse 22012 division by zero', 'ReadyForQuery I']);
  t.deepEqual(await client.query('select count(*) from one_string'), [['0']]);
  client.Query('insert into one_string values (1); begin; insert into one_string values (2)');
  t.is((await client.answer()).at(-1), 'ReadyForQuery T');
  client.Query('select 1/0');
  t.is((await client.answer()).at(-1), 'ReadyForQuery E');
  client.Query('select 1');
  t.deepEqual(await client.answer(), ['ErrorResponse 25P02 current transaction is aborted, commands ignored until end of transaction block', 'ReadyForQuery E']);
  client.Query('commit');
  t.deepEqual(await client.answer(), ['CommandComplete ROLLBACK', 'ReadyForQuery I']);
  t.deepEqual(await client.query('select count(*) from one_string'), [['0']]);
});

test.serial('extended query: unnamed, named, described, closed', async (t) => {
  client.Parse('select $1::int + 1 as n, $2 || \'!\' as s').Describe('S').Bind(['41', 'hey']).Describe('P').Execute().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ParameterDescription 23,25', 'RowDescription n:23,s:25', 'BindComplete', 'RowDescription n:23,s:25',
    'DataRow 42|hey!', 'CommandComplete SELECT 1', 'ReadyForQuery I']);
  client.Parse('select $1::text', 'named').Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ReadyForQuery I']);
  for (const value of ['a', null]) {
    client.Bind([value], { statement: 'named' }).Execute().Sync();
    t.deepEqual(await client.answer(), ['BindComplete', `DataRow ${value ?? 'NULL'}`, 'CommandComplete SELECT 1', 'ReadyForQuery I']);
  }
  t.deepEqual(await client.query("select name, statement, parameter_types, from_sql from pg_prepared_statements"), [['named', 'select $1::text', '{text}', 'f']]);
  client.Parse('select 1', 'named').Sync();
  t.deepEqual(await client.answer(), ['ErrorResponse 42P05 prepared statement "named" already exists', 'ReadyForQuery I']);
  client.Close('S', 'named').Close('S', 'never was').Bind([], { statement: 'named' }).Sync();
  t.deepEqual(await client.answer(), ['CloseComplete', 'CloseComplete', 'ErrorResponse 26000 prepared statement "named" does not exist', 'ReadyForQuery I']);
  client.Parse('insert into pg_temp.nothing values (1)').Sync();
  t.deepEqual(await client.answer(), ['ErrorResponse 42P01 relation "pg_temp.nothing" does not exist at 13', 'ReadyForQuery I']);
  client.Parse('create temp table made (a int)').Describe('S').Bind().Describe('P').Execute().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ParameterDescription ', 'NoData', 'BindComplete', 'NoData', 'CommandComplete CREATE TABLE', 'ReadyForQuery I']);
  client.Parse('').Bind().Describe('P').Execute().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'BindComplete', 'NoData', 'EmptyQueryResponse', 'ReadyForQuery I']);
  client.Parse('select 1; select 2').Sync();
  t.deepEqual(await client.answer(), ['ErrorResponse 42601 cannot insert multiple commands into a prepared statement', 'ReadyForQuery I']);
});

// JDBC, asyncpg and Active Record prepare again by themselves when that error names PostgreSQL's function; it named none.
test.serial('extended query: a kept statement whose columns have changed says so in a way that drivers know', async (t) => {
  await client.query('create temp table changing (a int)');
  client.Parse('select * from changing', 'kept').Sync();
  await client.answer();
  await client.query('alter table changing add b int');
  client.Bind([], { statement: 'kept' }).Execute().Sync();
  t.like(await client.error(), { C: '0A000', M: 'cached plan must not change result type', R: 'RevalidateCachedQuery' });
  await client.answer();
});

// Parse failed of it; and a row that cannot be computed took the rows before it along.
test.serial('extended query: what planning or a later row finds wrong is told in its place', async (t) => {
  client.Parse('select 1/0').Describe('S').Bind().Execute().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ParameterDescription ', 'RowDescription ?column?:23', 'ErrorResponse 22012 division by zero', 'ReadyForQuery I']);
  client.Parse('select 12/(4-i) from generate_series(1,10) i').Bind().Execute('', 2).Execute('', 2).Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'BindComplete', 'DataRow 4', 'DataRow 6', 'PortalSuspended', 'DataRow 12', 'ErrorResponse 22012 division by zero', 'ReadyForQuery I']);
});

// Execute took the plan of Bind although another session had dropped the table meanwhile: XX000, could not open relation with OID.
test.serial('extended query: a table that is dropped between Bind and Execute is not there', async (t) => {
  await client.query('create table short_lived (a int)');
  const other = await RawClient.open(site.port);
  for (const text of ['insert into short_lived values (1)', 'select * from short_lived']) {
    client.Parse(text).Bind().Flush();
    t.deepEqual(await client.upTo('2').then((messages) => messages.map(show)), ['ParseComplete', 'BindComplete']);
    await other.query('drop table short_lived');
    client.Execute().Sync();
    t.deepEqual(await client.answer(), ['ErrorResponse 42P01 relation "short_lived" does not exist at ' + (text.indexOf('short') + 1), 'ReadyForQuery I']);
    await other.query('create table short_lived (a int)');
  }
  await other.query('drop table short_lived');
  other.end();
});

// CALL was analyzed when it ran: its parameters had no types before, and what comes back was not described. JDBC reads
// rows only after a description, and gives parameters that only come back as void.
test.serial('extended query: what a procedure gives back is described', async (t) => {
  await client.query('create procedure twice(a int, inout b int, out c text) language plpgsql as $$begin b := b * a; c := concat(a, b); end$$');
  client.Parse('call twice($1, $2, $3)', '', [0, 0, 2278]).Describe('S').Bind(['2', '4', null]).Describe('P').Execute().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ParameterDescription 23,23,25', 'RowDescription b:23,c:25', 'BindComplete', 'RowDescription b:23,c:25',
    'DataRow 8|28', 'CommandComplete CALL', 'ReadyForQuery I']);
  client.Parse("call twice($1, 'x', null)").Sync();
  t.deepEqual(await client.answer(), ['ErrorResponse 22P02 invalid input syntax for type integer: "x" at 16', 'ReadyForQuery I']);
  client.Parse('call twice($1)').Sync();
  t.regex((await client.answer())[0]!, /^ErrorResponse 42883 procedure twice\(unknown\) does not exist at 6/);
});

// They were shown as $1, and estimated as if they could be anything.
test.serial('extended query: EXPLAIN plans for the values of the parameters', async (t) => {
  client.Parse('explain (costs off) select 1 from pg_class where relname = $1 and $2').Bind(['pg_proc', 'f']).Execute().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'BindComplete', 'DataRow Result', 'DataRow   One-Time Filter: false', 'CommandComplete EXPLAIN', 'ReadyForQuery I']);
});

test.serial('extended query: types of parameters', async (t) => {
  client.Parse('select $1, $2', '', [20, 0]).Describe('S').Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ParameterDescription 20,25', 'RowDescription ?column?:20,?column?:25', 'ReadyForQuery I']);
  client.Parse('select $2::int4').Sync();
  t.deepEqual(await client.answer(), ['ErrorResponse 42P18 could not determine data type of parameter $1', 'ReadyForQuery I']);
  client.Parse('select $1::int4').Bind(['1', '2']).Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ErrorResponse 08P01 bind message supplies 2 parameters, but prepared statement "" requires 1', 'ReadyForQuery I']);
  client.Parse('select $1::int4').Bind(['x']).Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'ErrorResponse 22P02 invalid input syntax for type integer: "x"', 'ReadyForQuery I']);
});

test.serial('binary formats, both ways', async (t) => {
  const eight = Buffer.alloc(8);
  eight.writeBigInt64BE(-5n);
  client.Parse("select $1::int8, $2::bool, 1.5::float8, 'x'::text, '2000-01-02'::date, '\\x01ff'::bytea").Bind([eight, Buffer.from([1])], { formats: [1], results: [1] })
    .Describe('P').Execute().Sync();
  t.deepEqual((await client.answer()).slice(2, 4), ['RowDescription int8:20:binary,bool:16:binary,float8:701:binary,text:25:binary,date:1082:binary,bytea:17:binary',
    'DataRow 0xfffffffffffffffb|0x01|0x3ff8000000000000|x|0x00000001|0x01ff']);
  client.Parse('select 7::int4, 7::int4').Bind([], { results: [0, 1] }).Execute().Sync();
  t.is((await client.answer())[2], 'DataRow 7|0x00000007');
  client.Parse('select $1::int4').Bind([Buffer.from([0, 0, 1])], { formats: [1] }).Sync();
  t.is((await client.answer())[1], 'ErrorResponse 08P01 insufficient data left in message');
  client.Parse('select $1::int4').Bind(['1'], { formats: [2] }).Sync();
  t.is((await client.answer())[1], 'ErrorResponse 22023 unsupported format code: 2');
  client.Parse('select 1').Bind([], { results: [0, 0] }).Sync();
  t.is((await client.answer())[1], 'ErrorResponse 08P01 bind message has 2 result formats but query has 1 columns');
});

test.serial('row limits: a portal is suspended and goes on', async (t) => {
  client.Parse('select generate_series(1, 5)').Bind().Execute('', 2).Execute('', 2).Execute('', 2).Execute('', 2).Sync();
  t.deepEqual((await client.answer()).slice(2), ['DataRow 1', 'DataRow 2', 'PortalSuspended', 'DataRow 3', 'DataRow 4', 'PortalSuspended', 'DataRow 5',
    'CommandComplete SELECT 1', 'CommandComplete SELECT 0', 'ReadyForQuery I']);
  // Outside a transaction block Sync ends the portal, in one it stays.
  client.Execute().Sync();
  t.deepEqual(await client.answer(), ['ErrorResponse 34000 portal "" does not exist', 'ReadyForQuery I']);
  await client.query('begin');
  client.Parse('select generate_series(1, 3)').Bind([], { portal: 'p' }).Execute('p', 1).Sync();
  t.deepEqual((await client.answer()).slice(2), ['DataRow 1', 'PortalSuspended', 'ReadyForQuery T']);
  t.deepEqual(await client.query('fetch 1 from p'), [['2']]);
  client.Execute('p').Close('P', 'p').Execute('p').Sync();
  t.deepEqual(await client.answer(), ['DataRow 3', 'CommandComplete SELECT 1', 'CloseComplete', 'ErrorResponse 34000 portal "p" does not exist', 'ReadyForQuery E']);
  await client.query('rollback');
  client.Parse('insert into one_string select generate_series(100, 104) returning a').Bind().Execute('', 2).Execute('').Sync();
  t.deepEqual((await client.answer()).slice(2), ['DataRow 100', 'DataRow 101', 'PortalSuspended', 'DataRow 102', 'DataRow 103', 'DataRow 104', 'CommandComplete INSERT 0 3', 'ReadyForQuery I']);
});

test.serial('after an error everything is skipped until Sync', async (t) => {
  client.Parse('select 1/(random()*0)::int').Bind().Execute().Parse('select 1').Bind().Describe('P').Execute().Flush().Sync();
  t.deepEqual(await client.answer(), ['ParseComplete', 'BindComplete', 'ErrorResponse 22012 division by zero', 'ReadyForQuery I']);
  client.Sync().Sync();
  t.deepEqual([...await client.answer(), ...await client.answer()], ['ReadyForQuery I', 'ReadyForQuery I']);
});

test.serial('the messages up to a Sync are one transaction', async (t) => {
  client.Parse('insert into one_string values (500)').Bind().Execute().Parse('select 1/0').Bind().Execute().Sync();
  await client.answer();
  t.deepEqual(await client.query('select count(*) from one_string where a = 500'), [['0']]);
  client.Parse('insert into one_string values (500)').Bind().Execute().Parse('insert into one_string values (501)').Bind().Execute().Sync();
  await client.answer();
  t.deepEqual(await client.query('select count(*) from one_string where a >= 500'), [['2']]);
});

test.serial('Flush brings answers before Sync', async (t) => {
  client.Parse('select 5').Flush();
  t.deepEqual(await client.answer('1'), ['ParseComplete']);
  client.Bind().Execute().Flush();
  t.deepEqual(await client.answer('C'), ['BindComplete', 'DataRow 5', 'CommandComplete SELECT 1']);
  client.Sync();
  t.deepEqual(await client.answer(), ['ReadyForQuery I']);
});

test.serial('COPY in and out', async (t) => {
  await client.query('create table copied (a int, b text)');
  client.Query('copy copied from stdin');
  t.deepEqual(await client.answer('G'), ['CopyInResponse 0 2']);
  client.CopyData('1\tone\n2\t').CopyData('tw').CopyData('o\n3\t\\N\n').CopyDone();
  t.deepEqual(await client.answer(), ['CommandComplete COPY 3', 'ReadyForQuery I']);
  client.Query("copy (select * from copied order by a) to stdout with (format csv, header, null 'none')");
  t.deepEqual(await client.answer(), ['CopyOutResponse 0 2', 'CopyData "a,b\\n"', 'CopyData "1,one\\n"', 'CopyData "2,two\\n"', 'CopyData "3,none\\n"', 'CopyDone',
    'CommandComplete COPY 3', 'ReadyForQuery I'].map((line) => (line === 'CopyDone' ? 'CopyDone' : line)));
  // The binary format's header came by itself; psycopg looks for the first row behind it.
  for (const [limit, messages] of [[2, 3], [1, 2], [0, 1]] as const) {
    client.Query(`copy (select generate_series(1, 2) limit ${limit}) to stdout (format binary)`);
    t.is((await client.answer()).filter((line) => line.startsWith('CopyData')).length, messages);
  }
  client.Query('copy copied from stdin; select 8');
  await client.answer('G');
  client.CopyData('4\tfour\n').CopyFail('changed my mind');
  t.deepEqual(await client.answer(), ['ErrorResponse 57014 COPY from stdin failed: changed my mind', 'ReadyForQuery I']);
  client.Query('copy copied from stdin');
  await client.answer('G');
  client.CopyData('5\tfive\nx\ty\n').CopyDone();
  t.deepEqual(await client.answer(), ['ErrorResponse 22P02 invalid input syntax for type integer: "x"', 'ReadyForQuery I']);
  // With the extended protocol, errors wait for Sync, and a Sync within the data does not count.
  client.Parse('copy copied from stdin').Bind().Execute().Sync();
  t.deepEqual(await client.answer('G'), ['ParseComplete', 'BindComplete', 'CopyInResponse 0 2']);
  client.CopyData('6\tsix\n').CopyDone().Sync();
  t.deepEqual(await client.answer(), ['CommandComplete COPY 1', 'ReadyForQuery I']);
  t.deepEqual(await client.query('select count(*) from copied'), [['4']]);
  client.Query('copy copied from stdin');
  await client.answer('G');
  client.Query('select 1');
  t.is((await client.answer('E')).at(-1), 'ErrorResponse 08P01 unexpected message type 0x51 during COPY from stdin');
});

test.serial('function calls', async (t) => {
  client.FunctionCall(1782, [int32(2)]); // something that is no such function: quote_literal(text) has another number
  t.is((await client.answer()).at(-1), 'ReadyForQuery I');
  client.FunctionCall(177, [int32(40), int32(2)], 1); // int4pl
  t.deepEqual(await client.answer(), ['FunctionCallResponse', 'ReadyForQuery I']);
  client.FunctionCall(1, []);
  t.deepEqual(await client.answer(), ['ErrorResponse 42883 function with OID 1 does not exist', 'ReadyForQuery I']);
});

test.serial('errors carry their fields', async (t) => {
  await client.query('create table checked (a int constraint positive check (a > 0), b text not null, unique (a))');
  const failure = async (text: string): Promise<Record<string, string>> => {
    client.Query(text);
    const found = await client.error();
    await client.answer();
    return found;
  };
  t.like(await failure("insert into checked values (-1, '')"), { S: 'ERROR', V: 'ERROR', C: '23514', n: 'positive', t: 'checked', s: 'public',
    M: 'new row for relation "checked" violates check constraint "positive"', D: 'Failing row contains (-1, ).' });
  t.like(await failure('insert into checked values (1)'), { C: '23502', c: 'b', t: 'checked', D: 'Failing row contains (1, null).' });
  await client.query("insert into checked values (1, '')");
  t.like(await failure("insert into checked values (1, 'x')"), { C: '23505', n: 'checked_a_key', D: 'Key (a)=(1) already exists.' });
  t.like(await failure('select * from nowhere'), { C: '42P01', P: '15' });
  t.like(await failure('select checkedd from checked'), { C: '42703', P: '8' });
  t.like(await failure('select nofunc(1)'), { C: '42883', H: 'No function matches the given name and argument types. You might need to add explicit type casts.' });
  t.like(await failure("select '❄' || nix"), { C: '42703', P: '15' }, 'positions count characters');
});

test.serial('notices and notifications', async (t) => {
  client.Query('drop table if exists not_there');
  t.deepEqual(await client.answer(), ['NoticeResponse 00000 table "not_there" does not exist, skipping', 'CommandComplete DROP TABLE', 'ReadyForQuery I']);
  client.Query('commit');
  t.deepEqual(await client.answer(), ['NoticeResponse 25P01 there is no transaction in progress', 'CommandComplete COMMIT', 'ReadyForQuery I']);
  client.Query("listen mail; notify mail, 'self'");
  t.deepEqual((await client.answer('A')).at(-1), 'NotificationResponse mail:self');
  const other = await RawClient.open(site.port);
  await other.query("begin; notify mail, 'one'; notify mail, 'one'; notify mail; notify other");
  await other.query('commit');
  t.deepEqual((await client.answer('A')).at(-1), 'NotificationResponse mail:one');
  t.deepEqual(await client.answer('A'), ['NotificationResponse mail']);
  await other.query("begin; notify mail, 'never'; rollback; select pg_notify('mail', 'by function')");
  t.deepEqual(await client.answer('A'), ['NotificationResponse mail:by function']);
  await client.query('unlisten *');
  await other.query('notify mail');
  t.deepEqual(await client.query('select 1'), [['1']]);
  other.end();
});

test.serial('cancel: only with the right key, also while waiting', async (t) => {
  client.Query('select pg_sleep(60)');
  await selecting(client);
  const cancel = async (key: number): Promise<void> => {
    const canceller = new RawClient(site.port);
    canceller.raw(int32(16), int32(80877102), int32(client.processId), int32(key));
    await canceller.closes();
  };
  await cancel(client.secretKey ^ 1);
  await cancel(client.secretKey);
  t.deepEqual((await client.answer()).at(-2), 'ErrorResponse 57014 canceling statement due to user request');
  t.deepEqual(await client.query('select 1'), [['1']]);
  await cancel(client.secretKey); // idle: nothing happens
  t.deepEqual(await client.query('select 2'), [['2']]);
});

// The answer waited in the buffer for the end of what came behind it: whoever sent both at once had nothing to go by.
test.serial('an answer goes out before the next message is worked on', async (t) => {
  client.socket.cork();
  client.Query('select 1').Query('select pg_sleep(60)');
  client.socket.uncork();
  t.is((await client.answer()).at(-1), 'ReadyForQuery I');
  await selecting(client);
  const canceller = new RawClient(site.port);
  canceller.raw(int32(16), int32(80877102), int32(client.processId), int32(client.secretKey));
  t.deepEqual((await client.answer()).at(-2), 'ErrorResponse 57014 canceling statement due to user request');
  await canceller.closes();
});

test.serial('time limits of statements and idle sessions', async (t) => {
  await client.query("set statement_timeout = '50ms'");
  await t.throwsAsync(client.query('select pg_sleep(60)'), { message: '57014 canceling statement due to statement timeout' });
  await t.throwsAsync(client.query('select count(*) from generate_series(1, 100000000000)'), { message: '57014 canceling statement due to statement timeout' });
  await client.query("set statement_timeout = 0; set idle_in_transaction_session_timeout = '50ms'");
  await client.query('begin');
  t.like(await client.error(), { S: 'FATAL', C: '25P03', M: 'terminating connection due to idle-in-transaction timeout' });
  await client.closes();
  client = await RawClient.open(site.port, { options: '-c idle_session_timeout=50ms' });
  t.like(await client.error(), { S: 'FATAL', C: '57P05' });
  await client.closes();
});

test.serial('terminate, and pg_terminate_backend', async (t) => {
  client.Terminate();
  await client.closes();
  client = await RawClient.open(site.port);
  const other = await RawClient.open(site.port);
  t.deepEqual(await other.query(`select pg_terminate_backend(${client.processId})`), [['t']]);
  t.like(await client.error(), { S: 'FATAL', C: '57P01', M: 'terminating connection due to administrator command' });
  await client.closes();
  client = await RawClient.open(site.port);
  client.Query('select pg_sleep(60)');
  await selecting(client);
  t.deepEqual(await other.query(`select pg_cancel_backend(${client.processId})`), [['t']]);
  t.like(await client.error(), { C: '57014' });
  other.end();
});

test.serial('garbage and lies of every sort end the connection, or the statement, and nothing else', async (t) => {
  const refused = async (send: (c: RawClient) => void, code: string): Promise<void> => {
    const c = await RawClient.open(site.port);
    send(c);
    t.like(await c.error(), { C: code });
    c.end();
  };
  await refused((c) => c.message('?', string('x')), '08P01'); // no such message type
  for (const length of [3, -1, 0x7fffffff]) { // shorter than itself; negative; more than there can be
    const c = await RawClient.open(site.port);
    c.raw(Buffer.from('Q'), int32(length));
    await c.closes();
  }
  await refused((c) => c.message('Q', Buffer.from('select 1')), '08P01'); // no end of string
  await refused((c) => c.message('B', string(''), string('')).Sync(), '26000'); // ends too early, of a statement that is not there
  await refused((c) => c.message('P', string('')).Sync(), '08P01');
  await refused((c) => c.message('D', Buffer.from('X'), string('')).Sync(), '08P01');
  await refused((c) => c.message('E', string('')).Sync(), '08P01');
  await refused((c) => c.Parse('select $1::int').message('B', string(''), string(''), int16(0), int16(1), int32(1000)).Sync(), '08P01');
  await refused((c) => c.Query("select 'a\xff'").message('Q', Buffer.from([0x73, 0xff, 0xfe, 0])), '22021');
  const silent = new RawClient(site.port), half = new RawClient(site.port), huge = new RawClient(site.port);
  half.raw(int32(100), int32(196608));
  huge.raw(int32(0x7fffffff), int32(196608));
  await huge.closes();
  const cut = await RawClient.open(site.port);
  cut.raw(Buffer.from('Q'), int32(100), Buffer.from('select'));
  cut.end();
  t.deepEqual(await client.query('select 1'), [['1']]);
  await silent.closes(); // authentication_timeout
  await half.closes();
  t.deepEqual(await client.query('select 1'), [['1']]);
});

test.serial('invalid text and numbers out of range', async (t) => {
  client.Parse('select $1::text').Bind([Buffer.from([0xc3, 0x28])]).Sync();
  t.is((await client.answer())[1], 'ErrorResponse 22021 invalid byte sequence for encoding "UTF8": 0xc3 0x28');
  client.Parse('select $1::text').Bind([Buffer.from([0x61, 0])]).Sync();
  t.is((await client.answer())[1], 'ErrorResponse 22021 invalid byte sequence for encoding "UTF8": 0x00');
  for (const [text, code] of [
    ['select 2147483647 + 1', '22003'], ["select '1e400'::float8", '22003'], ['select 9223372036854775807 + 1', '22003'], ["select '99999-13-01'::date", '22008'],
    [`select ${'('.repeat(10000)}1${')'.repeat(10000)}`, '54001'], [`select ${'- '.repeat(10000)}1`, '54001'],
    [`create table wide (${Array.from({ length: 1601 }, (_, i) => `c${i} int`).join(',')})`, '54011'],
    [`select ${Array.from({ length: 1665 }, (_, i) => i).join(',')}`, '54011'], ["select repeat('x', 2000000000)", '54000'],
  ] as const) {
    client.Query(text);
    t.regex((await client.answer()).find((line) => line.startsWith('Error')) ?? '', new RegExp(`^ErrorResponse (${code}|42601 memory exhausted) `), text.slice(0, 60));
  }
  t.deepEqual(await client.query('select 1'), [['1']]);
});

test.serial('long messages', async (t) => {
  const long = 'x'.repeat(3_000_000);
  client.Parse('select length($1), $1 || $1').Bind([long]).Execute().Sync();
  const row = (await client.answer())[2]!;
  t.is(row.length, 'DataRow 3000000|'.length + 6_000_000);
  client.Query(`select length('${long}')`);
  t.is((await client.answer())[1], 'DataRow 3000000');
  client.Query('select generate_series(1, 200000)');
  t.is((await client.answer()).length, 200_003);
});

test.serial('a client that does not read does not hold up others', async (t) => {
  const deaf = await RawClient.open(site.port);
  deaf.socket.pause();
  deaf.Query("select repeat('x', 1000) from generate_series(1, 100000)");
  t.deepEqual(await client.query('select 1'), [['1']]);
  deaf.end();
});
