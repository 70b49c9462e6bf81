/* The question of `explore_bench hosts`, asked of SPIN: 6 hosts, 5 steps each, side by side; every step may start, finish
 * or fail; up to 2 deaths of the conductor, after each of which what was under way is begun again; a failure stops new
 * work, lets the rest end, and takes every step back. Does it always end, all done or all taken back?
 *
 * spin -a hosts.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m1000000
 */
#define HOSTS 6
#define STEPS 5
#define CRASHES 2

#define IDLE 0
#define BUSY 1
#define LOST 2
#define FAILED 3

byte at[HOSTS];    /* steps that are done */
byte state[HOSTS]; /* of the next one */
byte crashes;
bool stopping;

inline count() {
    busy = 0; finished = 0; i = 0;
    do
    :: i < HOSTS ->
        if :: state[i] == BUSY || state[i] == LOST -> busy++ :: else fi;
        if :: at[i] == STEPS -> finished++ :: else fi;
        i++
    :: else -> break
    od
}

inline die() {
    i = 0;
    do
    :: i < HOSTS -> if :: state[i] == BUSY -> state[i] = LOST :: else fi; i++
    :: else -> break
    od;
    crashes++
}

inline take_back() {
    i = 0;
    do
    :: i < HOSTS -> at[i] = 0; state[i] = IDLE; i++
    :: else -> break
    od
}

active proctype conductor() {
    byte h; byte i; byte busy; byte finished;
    do
    :: atomic {
        select(h : 0 .. 5);
        if
        :: state[h] == IDLE && at[h] < STEPS && !stopping -> state[h] = BUSY
        :: state[h] == BUSY -> state[h] = IDLE; at[h]++
        :: state[h] == BUSY -> state[h] = FAILED; stopping = true
        :: state[h] == LOST -> state[h] = IDLE         /* it never began: again */
        :: state[h] == LOST -> state[h] = IDLE; at[h]++ /* it had ended */
        :: state[h] == LOST -> state[h] = FAILED; stopping = true
        :: state[h] == BUSY && crashes < CRASHES -> die()
        :: else -> skip
        fi;
        count();
        if
        :: finished == HOSTS -> h = 0; i = 0; busy = 0; break
        :: stopping && busy == 0 -> take_back(); h = 0; i = 0; finished = 0; break
        :: else -> h = 0; i = 0; busy = 0; finished = 0
        fi
       }
    od;
    assert((at[0] == STEPS && at[1] == at[0] && at[2] == at[0] && at[3] == at[0] && at[4] == at[0] && at[5] == at[0])
           || (at[0] == 0 && at[1] == 0 && at[2] == 0 && at[3] == 0 && at[4] == 0 && at[5] == 0))
}
