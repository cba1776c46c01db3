// SPDX-License-Identifier: MIT OR Apache-2.0
// What the measures of exec start: a program that ends at once.

int main(void)
{
}
