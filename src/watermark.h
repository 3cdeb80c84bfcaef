/* How much of a stack was used (co_stack_used). */
#ifndef CO_WATERMARK_H
#define CO_WATERMARK_H

struct co__block;

/* At creation, with CO_WATERMARK: writes a pattern all over the stack below the block. */
void co__watermark_paint(struct co__block *block);

#endif
