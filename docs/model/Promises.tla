------------------------------ MODULE Promises ------------------------------
(* The promises. What a restored copy has forgotten is gone; that it is noticed is NeverTwice. *)
EXTENDS FirstCome

NeverOver ==
  /\ db.counter <= db.quota /\ \A s \in Taken(db) : s <= db.quota
  /\ Cardinality({s \in Seats : db.coupon[s] # 0}) <= db.quota

OneEach == \A u, v \in Accepted(db) : u # v => db.seatOf[u] # db.seatOf[v]

NoFalseYes == restored \/ \A u \in Users : \A s \in told[u] : disk.seatOf[u] = s /\ db.seatOf[u] = s

SameAnswer == \A u \in Users : Cardinality(told[u]) <= 1 /\ (told[u] # {} => refused[u] <= Max(told[u]) - 1)

(* No seat is told to two users, whatever was restored. *)
NeverTwice == \A u, v \in Users : u # v => told[u] \cap told[v] = {}

(* "Sold out" was true: the quota of that moment is given away. *)
SoldOutIsTrue == restored \/ \A u \in Users : Cardinality(Accepted(db)) >= refused[u]

(* Who asks after a seat was heard of gets a later one. *)
FirstCome == restored \/ \A u \in Accepted(db) : db.seatOf[u] > floor[u]

NothingLost ==
  \A s \in Taken(db) \ touched :
    db.coupon[s] # 0 \/ db.failed[s] \in {"waiting", "dead", "discarded"} \/ db.outbox[s] = "pending"

StaleChangesNothing == ~stale
CouponStays == restored \/ \A s \in Seats \ touched : given[s] # 0 => db.coupon[s] = given[s]
SameCoupon == restored \/ \A s \in Seats : db.coupon[s] \in {0, given[s]}
OneCode == \A s \in Seats : Cardinality(made[s]) <= 1
NoPhantom == \A s \in Seats : db.coupon[s] # 0 => s \in Taken(db)

BooksBalance ==
  /\ Taken(db) = 1..Cardinality(Accepted(db))
  /\ \/ db.counter = Cardinality(Accepted(db))
     \/ db.counter + 1 \in touched /\ db.counter + 1 \in Taken(db)

DiscardIsFinal ==
  \A s \in Seats : db.failed[s] = "discarded" => db.coupon[s] = 0 /\ db.holder[s] = None

(* In the end each accepted user has a coupon, or a person has to decide or has decided. *)
Served ==
  \A u \in Users : \A s \in Seats :
    (db.seatOf[u] = s) ~> (db.coupon[s] # 0 \/ db.failed[s] \in {"dead", "discarded"})
(* What was found is mended, also what somebody did by hand. *)
Healed == (db.counter # Cardinality(Accepted(db))) ~> (db.counter = Cardinality(Accepted(db)))

=============================================================================
