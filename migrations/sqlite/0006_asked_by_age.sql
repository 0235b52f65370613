-- What is old in `asked` is found without reading all of it: what SMSCs may send again although it is stored, or may not have heard
-- the answer to in time (`unheard` = 1), stands for a week.
create index asked_by_age on asked (unheard, at);
