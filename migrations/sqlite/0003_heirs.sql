-- Several instances on one store: who has taken over what an instance left that is gone.

-- The waiting replies and open parts of an earlier start with one carrier, taken over by a later start of another
-- instance. Without a row they belong to the instance whose start it was; with one, to the instance whose start `heir` is.
create table adopted (
    epoch integer not null,
    carrier text not null,
    heir integer not null,
    at integer not null,
    primary key (epoch, carrier)
) without rowid;
