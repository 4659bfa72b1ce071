#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# make-mmdb.pl IN.tsv OUT.mmdb
#
# Makes a small MaxMind database for tests and the demo. Each line of IN.tsv:
#     prefix TAB as-number TAB organisation TAB country
# where all but the prefix may be empty; '#' starts a comment line. The records
# have the keys of MaxMind's own ASN and country databases, both in one file.
# Needs Debian's libmaxmind-db-writer-perl.
use strict;
use warnings;

use MaxMind::DB::Writer::Tree;

@ARGV == 2 or die "usage: make-mmdb.pl IN.tsv OUT.mmdb\n";
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
	database_type            => 'Vigie-ASN-Country',
	languages                => ['en'],
	description              => { en => 'made by make-mmdb.pl; not for real use' },
	map_key_type_callback    => sub { $types{ $_[0] } },
	# Documentation prefixes are what tests are made of.
	remove_reserved_networks => 0,
);

open my $lines, '<:encoding(UTF-8)', $in or die "$in: $!\n";
while (my $line = <$lines>) {
	chomp $line;
	next if $line =~ /^\s*(#|$)/;
	my ($prefix, $asn, $organisation, $country, @rest) = split /\t/, $line, -1;
	die "$in:$.: four columns are needed: prefix, as-number, organisation, country\n"
		if !defined $country || @rest;
	die "$in:$.: '$asn' is no AS number\n" if $asn !~ /^\d*$/;
	die "$in:$.: '$country' is no two-letter country\n" if $country !~ /^([A-Z]{2})?$/;

	my %record;
	$record{autonomous_system_number} = $asn + 0 if $asn ne '';
	$record{autonomous_system_organization} = $organisation if $organisation ne '';
	$record{country} = { iso_code => $country } if $country ne '';
	eval { $tree->insert_network($prefix, \%record); 1 }
		or die "$in:$.: '$prefix' is no prefix: $@";
}
close $lines;

open my $mmdb, '>:raw', $out or die "$out: $!\n";
$tree->write_tree($mmdb);
close $mmdb or die "$out: $!\n";
