/* SPDX-License-Identifier: Apache-2.0 */
/* Focus rules; see focus.h. */
#include "cli/focus.h"

/* Every noun below another in the tree of objects. */
static const unsigned parts[CLI_NOUN_COUNT] = {
	[CLI_PROVIDER] = 1u << CLI_SUBSYSTEM | 1u << CLI_CONTROLLER | 1u << CLI_PORT |
			 1u << CLI_DRIVE | 1u << CLI_LUN | 1u << CLI_PLEX,
	[CLI_SUBSYSTEM] = 1u << CLI_CONTROLLER | 1u << CLI_PORT | 1u << CLI_DRIVE | 1u << CLI_LUN |
			  1u << CLI_PLEX,
	[CLI_CONTROLLER] = 1u << CLI_PORT,
	[CLI_LUN] = 1u << CLI_PLEX,
};

/* Only one of these is in focus; a port keeps its controller. */
static const unsigned siblings =
	1u << CLI_CONTROLLER | 1u << CLI_PORT | 1u << CLI_DRIVE | 1u << CLI_LUN | 1u << CLI_PLEX;

static void clear(struct cli_focus *f, unsigned nouns)
{
	for (int i = 0; i < CLI_NOUN_COUNT; i++)
		if (nouns & 1u << i)
			f->set[i] = false;
}

void cli_focus_select(struct cli_focus *f, enum cli_noun noun, uint32_t number)
{
	if (!cli_focus_is(f, noun, number))
		clear(f, parts[noun]);
	if (siblings & 1u << noun)
		clear(f, siblings & ~(noun == CLI_PORT ? 1u << CLI_CONTROLLER : 0u) &
				 ~(noun == CLI_PLEX ? 1u << CLI_LUN : 0u));
	f->set[noun] = true;
	f->number[noun] = number;
}

void cli_focus_clear(struct cli_focus *f, enum cli_noun noun)
{
	clear(f, parts[noun] | 1u << noun);
}

bool cli_focus_is(const struct cli_focus *f, enum cli_noun noun, uint32_t number)
{
	return f->set[noun] && f->number[noun] == number;
}
