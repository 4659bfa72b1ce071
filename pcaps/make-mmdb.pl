#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Makes a small MaxMind database that answers both "which network" and "which country".
# Needs Debian's libmaxmind-db-writer-perl.
#
# usage: make-mmdb.pl IN.tsv OUT.mmdb
#   IN.tsv: prefix<TAB>asn<TAB>organisation<TAB>country, `#` starts a comment line
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

die "usage: make-mmdb.pl IN.tsv OUT.mmdb\n" if @ARGV != 2;
my ($in, $out) = @ARGV;

my %types = (
	autonomous_system_number       => 'uint32',
	autonomous_system_organization => 'utf8_string',
	country                        => 'map',
	iso_code                       => 'utf8_string',
);
my $tree = MaxMind::DB::Writer::Tree->new(
	ip_version               => 6,
	record_size              => 24,
	database_type            => 'Vigie-Networks',
	languages                => ['en'],
	description              => { en => 'Networks for tests and the demo of Vigie' },
	map_key_type_callback    => sub { $types{ $_[0] } },
	remove_reserved_networks => 0, # documentation prefixes are reserved ones
);

open my $lines, '<:encoding(UTF-8)', $in or die "$in: $!\n";
while (my $line = <$lines>) {
	chomp $line;
	next if $line eq '' || $line =~ /^#/;
	my ($prefix, $asn, $organisation, $country) = split /\t/, $line;
	die "$in:$.: want prefix, asn, organisation and country, separated by tabs\n"
		if !defined $country || $asn !~ /^[0-9]+$/ || $country !~ /^[A-Z]{2}$/;
	$tree->insert_network($prefix, {
		autonomous_system_number       => $asn,
		autonomous_system_organization => $organisation,
		country                        => { iso_code => $country },
	});
}
close $lines;

open my $file, '>:raw', $out or die "$out: $!\n";
$tree->write_tree($file);
close $file or die "$out: $!\n";
