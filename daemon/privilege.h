/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives up what a program needed only in order to start. To be called once
 * files and sockets are open, before any thread and before anything hostile is
 * read. libcap-ng's header appears in privilege.c only. */
#pragma once

/* Becomes `user` with the groups of that name (NULL: stays who it is), empties
 * every capability set, bounding and ambient ones too, and gives up ever to gain
 * a privilege again. Cores are never dumped, new files are nobody else's to
 * read (umask 027). Whoever is not root gives up what there is. 0, or -errno
 * with `why`: cause and remedy; then the program must not go on. */
int privilege_drop(const char *user, char why[256]);
