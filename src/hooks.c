#include "block.h"
bool co__hooks_created(struct co__block *block) { (void)block; return false; }
void co__hooks_destroyed(struct co__block *block) { (void)block; }
void co__hooks_before(struct co__block *block, struct co__hooked_switch *sw) { (void)block; (void)sw; }
void co__hooks_after(struct co__block *block, struct co__hooked_switch *sw, bool ended) { (void)block; (void)sw; (void)ended;}
void co__hooks_unpoison(struct co__block *block) { (void)block; }
