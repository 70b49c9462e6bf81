/* The question of `explore_bench raw` and `explore_bench hosts`, asked of SPIN: HOSTS hosts, STEPS steps on each, side by
 * side; every step may start, finish or fail; up to CRASHES deaths of the conductor, after each of which it is asked what
 * became of each step that was under way: it never began and is begun again, it ended, or it failed. A failure stops new
 * work, lets the rest end, and has every step taken back. Does it always end, all done or all taken back? If not, SPIN
 * finds an invalid end state.
 *
 * spin -a -DHOSTS=6 hosts.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m1000000
 */
#ifndef HOSTS
#define HOSTS 6
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#define STEPS 5

#define IDLE 0
#define BUSY 1
#define LOST 2
#define FAILED 3

byte at[HOSTS];    /* steps that are done */
byte state[HOSTS]; /* of the next one */
byte busy;         /* how many are busy, how many lost: both follow from `state` */
byte lost;
byte finished;
byte crashes;
bool stopping;
bool over;

inline ends_well() {
    state[_pid] = IDLE;
    at[_pid]++;
    if
    :: at[_pid] == STEPS -> finished++
    :: else -> skip
    fi
}

inline fails() {
    state[_pid] = FAILED;
    stopping = true
}

inline die() {
    i = 0;
    do
    :: i < HOSTS && state[i] == BUSY -> state[i] = LOST; lost++; i++
    :: i < HOSTS && state[i] != BUSY -> i++
    :: else -> break
    od;
    i = 0;
    busy = 0;
    crashes++
}

inline take_back() {
    i = 0;
    do
    :: i < HOSTS -> at[i] = 0; state[i] = IDLE; i++
    :: else -> break
    od;
    i = 0
}

active [HOSTS] proctype host() {
    do
    :: d_step { state[_pid] == IDLE && at[_pid] < STEPS && !stopping -> state[_pid] = BUSY; busy++ }
    :: d_step { state[_pid] == BUSY -> busy--; ends_well() }
    :: d_step { state[_pid] == BUSY -> busy--; fails() }
    :: d_step { state[_pid] == LOST -> lost--; state[_pid] = IDLE }
    :: d_step { state[_pid] == LOST -> lost--; ends_well() }
    :: d_step { state[_pid] == LOST -> lost--; fails() }
    :: over -> break
    od
}

active proctype conductor() {
    byte i;
    do
    :: d_step { busy > 0 && crashes < CRASHES -> die() }
    :: d_step { stopping && busy == 0 && lost == 0 -> take_back(); over = true }; break
    :: d_step { finished == HOSTS -> over = true }; break
    od
}
