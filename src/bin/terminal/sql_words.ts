// Words of SQL that are shown as such, and that completion offers.

/** Not those that are more often names: name, type, value, data, … */
export const KEYWORDS: ReadonlySet<string> = new Set(`abort add all alter always analyse analyze and any array as asc asymmetric attach authorization begin between bigint binary bit boolean both by call cascade
case cast char character check checkpoint close cluster collate collation column comment commit committed concurrently conflict constraint copy create cross cube current current_catalog current_date
current_role current_schema current_time current_timestamp current_user cursor cycle database date deallocate dec decimal declare default deferrable deferred delete desc detach disable discard distinct do
domain double drop each else enable end escape except exclude excluding execute exists explain extension extract false fetch filter first float following for force foreign freeze from full function
generated global grant group grouping having identity if ilike immediate immutable import in include including increment index inherit inherits initially inner insert instead int integer intersect
interval into is isnull isolation join json language last lateral leading leakproof left level like limit listen load local localtime localtimestamp lock locked logged maps match matched materialized
maxvalue merge minvalue mode move natural no not nothing notify notnull nowait null nulls numeric of offset on only operator option or order ordinality out outer over overlaps overriding owner parallel
partition policy position preceding precision prepare prepared preserve primary procedure publication range real recursive references refresh reindex rename repeatable replace replica reset restart
restrict returning returns revoke right role rollback rollup routine row rows rule savepoint schema scroll security select sequence serializable server session session_user set setof share show similar
simple skip smallint some stable start statement statistics stored strict subscription substring symmetric system table tablesample tablespace temp temporary then ties time timestamp to trailing
transaction trigger trim true truncate trusted unbounded uncommitted union unique unknown unlisten unlogged until update user using vacuum validate values varchar variadic varying verbose view volatile
when where window with within without work write zone`.split(/\s+/));
