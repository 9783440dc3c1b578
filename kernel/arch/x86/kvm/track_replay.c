// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers to an instruction that is executed again: see asm/kvm_track_replay.h.
 *
 * An answer is good for one execution. It is kept for the next one only if that
 * comes because of a further answer, so that an access which is made once is asked
 * for once, and one that is made again is asked for again. Callers serialize.
 */
#include <linux/string.h>
#include <asm/kvm_track_replay.h>

static bool is_same(const struct kvm_track_execution *a,
		    const struct kvm_track_execution *b)
{
	return a->rip == b->rip && a->rcx == b->rcx && a->rsp == b->rsp &&
	       a->cr3 == b->cr3 && a->mode == b->mode;
}

/*
 * An instruction begins. If it is another one, an interrupt has come between: the
 * answers wait, and are not for it.
 */
void kvm_track_replay_begin(struct kvm_track_replay *replay,
			    const struct kvm_track_execution *of)
{
	unsigned int i;

	replay->now = is_same(&replay->of, of);
	if (!replay->now)
		return;
	if (!replay->again || replay->of.generation != of->generation)
		replay->nr = 0;
	replay->again = false;
	for (i = 0; i < replay->nr; i++)
		replay->said[i].used = false;
}

/* Memory that is copied can change meanwhile: yes to one value is not to another. */
static bool is_about(const struct kvm_track_said *said,
		     const struct kvm_track_said *asked)
{
	return said->gpa == asked->gpa && said->access == asked->access &&
	       said->len == asked->len &&
	       (said->access != KVM_TRACK_WRITE ||
		!memcmp(said->data, asked->data, sizeof(said->data)));
}

/* What has been said of the access, once for each execution; NULL: nothing. */
const struct kvm_track_said *
kvm_track_replay_use(struct kvm_track_replay *replay,
		     const struct kvm_track_said *asked)
{
	struct kvm_track_said *said = replay->said;

	if (!replay->now)
		return NULL;
	for (; said < replay->said + replay->nr; said++) {
		if (said->used || !is_about(said, asked))
			continue;
		said->used = true;
		return said;
	}
	return NULL;
}

/* One more answer, beside those to the same execution. False: too many. */
bool kvm_track_replay_say(struct kvm_track_replay *replay,
			  const struct kvm_track_execution *of,
			  const struct kvm_track_said *said)
{
	if (!is_same(&replay->of, of))
		replay->nr = 0;
	if (replay->nr == KVM_TRACK_NR_SAID)
		return false;
	replay->of = *of;
	replay->again = true;
	replay->said[replay->nr++] = *said;
	return true;
}
