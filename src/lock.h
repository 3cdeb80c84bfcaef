/* The one lock of the library. It guards what all threads share: slabs, the depot,
 * keys, the installing of a handler. No user code runs under it. */
#ifndef CO_LOCK_H
#define CO_LOCK_H

/* Returns 0 with the lock held, or ENOMEM without. It cannot fail again once it has succeeded. */
int co__lock(void);
void co__unlock(void);

#endif
