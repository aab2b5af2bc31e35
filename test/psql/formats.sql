-- ==== setup shown
\pset
-- ==== all formats
\set q 'select 1 as num, $$a|b<c>&"d" e$$ as "text, x", null as n, E\'two\\nlines\' as l, 1.5::numeric as "r_%"'
\pset format aligned
:q;
\pset format unaligned
:q;
\pset format csv
:q;
\pset format html
:q;
\pset format asciidoc
:q;
\pset format latex
:q;
\pset format latex-longtable
:q;
\pset format troff-ms
:q;
\pset format wrapped
:q;
-- ==== all formats expanded [-x]
\set q 'select 1 as num, $$a|b<c>&"d" e$$ as "text, x", null as n, E\'two\\nlines\' as l, 1.5::numeric as "r_%" union all select 22, $$ $$, $$y$$, $$\\back_slash^~$$, 3'
\pset format aligned
:q;
\pset format unaligned
:q;
\pset format csv
:q;
\pset format html
:q;
\pset format asciidoc
:q;
\pset format latex
:q;
\pset format latex-longtable
:q;
\pset format troff-ms
:q;
\pset format wrapped
:q;
-- ==== all formats tuples only [-t]
\set q 'select 1 as num, $$a|b<c>&"d" e$$ as "text, x", null as n, E\'two\\nlines\' as l union all select 3, $$$$, $$ $$, $$x$$'
\pset format aligned
:q;
\pset format unaligned
:q;
\pset format csv
:q;
\pset format html
:q;
\pset format asciidoc
:q;
\pset format latex
:q;
\pset format latex-longtable
:q;
\pset format troff-ms
:q;
\x
\pset format aligned
:q;
\pset format unaligned
:q;
\pset format csv
:q;
\pset format html
:q;
\pset format asciidoc
:q;
\pset format latex
:q;
\pset format troff-ms
:q;
-- ==== borders
\set q 'select 1 as num, $$abc$$ as t, E\'x\\ny\' as "he\nad" union all select -22, null, $$long text$$'
\pset border 0
:q;
\pset border 1
:q;
\pset border 2
:q;
\pset border 3
:q;
\pset null (null)
\x
\pset border 0
:q;
\pset border 1
:q;
\pset border 2
:q;
-- ==== borders in markup
\set q 'select 1 as num, $$abc$$ as t union all select -22, null'
\pset format latex
\pset border 0
:q;
\pset border 2
:q;
\pset border 3
:q;
\pset format latex-longtable
:q;
\pset border 2
\pset title 'A_title'
:q;
\pset tableattr '0.3 0.2'
:q;
\pset border 0
:q;
\pset format asciidoc
:q;
\pset border 2
:q;
\pset format troff-ms
:q;
\pset format html
:q;
\x
:q;
\pset format troff-ms
:q;
\pset border 0
:q;
\pset border 1
:q;
\pset format latex
:q;
\pset border 2
:q;
\pset format asciidoc
:q;
-- ==== line styles
\set q 'select 1 as num, E\'a\\nbc\' as t, $$x$$ as "y\nz"'
\pset linestyle unicode
:q;
\pset border 2
:q;
\pset unicode_border_linestyle double
:q;
\pset unicode_column_linestyle double
:q;
\pset unicode_header_linestyle double
:q;
\x
:q;
\pset border 1
:q;
\pset linestyle old-ascii
:q;
\x
:q;
\pset border 2
:q;
\pset border 0
:q;
\x
:q;
\pset border 2
:q;
-- ==== wrapped
\pset format wrapped
\pset columns 30
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, 'short' as s;
select 'a rather long text that must be wrapped somewhere' as t, E'with\nnewlines in it, and long lines too' as u;
\pset border 2
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, 'short' as s;
\pset border 0
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, 'short' as s;
\pset border 1
\pset linestyle unicode
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, 'short' as s;
\pset linestyle old-ascii
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, 'short' as s;
\pset linestyle ascii
\x
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, E'sho\nrt' as s;
\pset border 2
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, E'sho\nrt' as s;
\pset border 0
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, E'sho\nrt' as s;
\pset columns 10
select 'a rather long text that must be wrapped somewhere' as t, 12345 as n, E'sho\nrt' as s;
-- ==== expanded auto
\x auto
\pset columns 20
select 1 as a, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' as b;
select 1 as a;
-- ==== wide characters
select 'ä', '日本語' as "表", E'tab\there', E'bell\x07', '한국' as k;
\pset border 2
select 'ä' as "ü", '日本語' as "表" union all select 'longer', 'x';
\x
select 'ä' as "ü", '日本語' as "表";
-- ==== separators
\pset format unaligned
\f '\t'
select 1, 2;
\pset recordsep '--'
select 1, 2 union all select 3, 4;
\pset fieldsep_zero
\pset recordsep_zero
select 1, 2 union all select 3, 4;
\x
select 1, 2 union all select 3, 4;
-- ==== csv
\pset format csv
select 'a,b' as "x,y", 'q"q', E'n\nl', '', null, '\.', ' sp ';
\pset csv_fieldsep ';'
select 'a,b', 'c;d';
\pset csv_fieldsep 'ab'
\pset csv_fieldsep '"'
\x
select 'a' as b, 'c;d' as e;
-- ==== options on the line [-A -F , -R ; -P null=N -t]
select 1, null union all select 2, 'x';
-- ==== html option [-H -T width=3]
select 1 as "a<b";
create temp table hh(a int);
-- ==== footer and title
\C Title
select 1;
\pset footer off
select 1;
\x
select 1;
\C
\pset title
\pset footer on
select 1 where false;
\x
select 1 where false;
select;
\pset format unaligned
select 1 where false;
\t
select 1;
-- ==== numericlocale
\pset numericlocale on
select 1234567, -1234.5678, 12::text, 1e20::float8, 123;
-- ==== pset messages
\a
\a
\H
\H
\x
\x auto
\x off
\t
\t off
\f ,
\f
\T foo
\T
\C t
\C
\pset border 2
\pset null xx
\pset null
\pset columns 20
\pset pager off
\pset pager always
\pset pager
\pset pager_min_lines 5
\pset linestyle unicode
\pset unicode_border_linestyle double
\pset recordsep ,
\pset numericlocale
\pset footer
\pset fieldsep_zero
\pset format un
\pset format l
\pset format latex
\pset format nix
\pset nix
\pset border
\pset linestyle foo
\pset unicode_header_linestyle foo
\pset expanded foo
\pset pager foo
\pset tuples_only foo
\pset
-- ==== pset quiet [-q]
\pset border 2
\x
select 1;
-- ==== no columns
create temp table nocols();
insert into nocols default values;
select * from nocols;
\pset border 2
select * from nocols;
\x
select * from nocols;
\x
\pset format unaligned
select * from nocols;
\pset format html
select * from nocols;
